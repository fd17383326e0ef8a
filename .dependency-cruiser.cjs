/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'everything-resolves',
      comment: 'What is not found is not checked by the rules below.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'only-segment-imports-the-client',
      comment: 'The client lies in a dozen ways; src/segment is where all of them are handled.',
      severity: 'error',
      from: { path: '^(src|entities|migrations)/', pathNot: '^src/segment/' },
      to: { path: 'node_modules/@segment/' },
    },
    {
      name: 'the-client-works-in-its-thread',
      comment: 'It costs more CPU than all the rest, and must not take it from the application’s requests.',
      severity: 'error',
      from: {
        path: '^(src|entities|migrations)/',
        pathNot: '^src/segment/(layout-thread-entry|lay-out)[.]ts$',
      },
      to: { path: '^src/segment/(lay-out|client-layout)[.]ts$' },
    },
    {
      name: 'portal-uses-the-public-api-only',
      comment: 'The reference portal uses the module as any monolith would.',
      severity: 'error',
      from: { path: '^(src/portal|entities/portal)/' },
      to: {
        path: '^(src|entities|migrations)/',
        pathNot: '^((src|entities)/portal/|src/(console/|testing/)?index[.]ts$)',
      },
    },
    {
      name: 'only-the-cli-imports-commander',
      comment:
        'An application that records events must not load a command-line parser, or tables for a terminal.',
      severity: 'error',
      from: { path: '^(src|entities|migrations)/', pathNot: '^src/cli/' },
      to: { path: 'node_modules/(commander|cli-table3|cli-progress)/' },
    },
    {
      name: 'only-the-console-imports-a-web-framework',
      comment: 'An application that records events must not load one for pages that it never serves.',
      severity: 'error',
      from: { path: '^(src|entities|migrations)/', pathNot: '^src/(console|portal)/' },
      to: { path: 'node_modules/(hono|@hono)/' },
    },
    {
      name: 'the-module-knows-no-portal',
      severity: 'error',
      from: { path: '^(src|entities/[^/]+$|migrations/index)', pathNot: '^src/portal/' },
      to: { path: '^(src|entities)/portal/' },
    },
    {
      name: 'production-code-knows-no-tests',
      severity: 'error',
      from: { path: '^(src|entities|migrations)/', pathNot: '^src/(testing|portal|cli)/' },
      to: { path: '^(src/testing|test)/' },
    },
    {
      name: 'runtime-dependencies-are-declared',
      comment: 'What only the reference portal needs must not become a dependency of the module.',
      severity: 'error',
      from: { path: '^(src|entities|migrations)/', pathNot: '^src/portal/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], pathNot: 'node_modules/(typeorm|pg|@types)/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // TypeScript 7 has no API for it; without TypeScript it would fall back to a parser that misses type imports.
    parser: 'swc',
    // Its `paths` resolve the package's own name to the source, whether it is built or not.
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
}
