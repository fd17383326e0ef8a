/** Version of this module; the same as in package.json, which a bundled application does not carry along. */
export const VERSION = '0.1.0'
