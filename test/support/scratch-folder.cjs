const fs = require('node:fs')
const os = require('node:os')

/** What a run needs at most: its databases, the log that they write ahead, and room for the machine to breathe. */
const ROOM = 6 * 1024 ** 3

/**
 * Where the tests' databases live: in memory, where Linux offers it and there is plenty. Each test gets a database of its
 * own, 560 files that are gone a moment later; on ext4, which looks past each file that was deleted in the last seconds,
 * making one took 280 ms, and takes 27 in memory.
 */
module.exports = function scratchFolder() {
  const memory = '/dev/shm'
  try {
    fs.accessSync(memory, fs.constants.W_OK)
    const { bavail, bsize } = fs.statfsSync(memory)
    // In a container the machine's memory is not all ours.
    const allowed = process.constrainedMemory() || Number.POSITIVE_INFINITY
    if (Math.min(bavail * bsize, os.freemem(), allowed / 2) > ROOM) return memory
  } catch {
    // Not Linux, or not for us.
  }
  return os.tmpdir()
}
