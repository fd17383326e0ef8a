// Unpacks Chromium below TMPDIR and prints its path. A process of its own: the package is an ES module, and
// it unpacks to one fixed name, which two test workers would write at once.
import chromium from '@sparticuz/chromium'

chromium.setGraphicsMode = false
process.stdout.write(await chromium.executablePath())
