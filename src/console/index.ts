export { type ConsoleHandler, createConsole } from './create-console'
export type { ConsoleOptions, ConsoleOutbox, Operator } from './options'
