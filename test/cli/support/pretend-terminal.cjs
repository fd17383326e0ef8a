// Preloaded: standard input and output say that they are a terminal as wide as COLUMNS.
const { WriteStream } = require('node:tty')

process.stdin.isTTY = true
// A terminal that nobody reads from keeps no process alive; a pipe would.
process.stdin.on('pause', () => process.stdin.unref()).on('resume', () => process.stdin.ref())
for (const stream of [process.stdout, process.stderr]) {
  Object.defineProperties(stream, {
    isTTY: { value: true },
    columns: { value: Number(process.env.COLUMNS) },
  })
  for (const name of [
    'hasColors',
    'getColorDepth',
    'cursorTo',
    'moveCursor',
    'clearLine',
    'clearScreenDown',
  ]) {
    stream[name] = WriteStream.prototype[name]
  }
}
