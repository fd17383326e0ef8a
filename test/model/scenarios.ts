import type { Action } from './actions'

/** Runs that are told step by step, because chance finds them too seldom: each is the shortest way to its danger. */
export const scenarios: { why: string; steps: Action[] }[] = [
  {
    why: 'halves of a refused batch remember since when an earlier attempt may have been accepted',
    steps: [
      { do: 'business', process: 0, portal: 1, what: ['began', 'poison', 'began'], commit: true },
      { do: 'fault', portal: 1, faults: ['server error'] },
      { do: 'drain', process: 0, later: false },
      { do: 'disturbed drain', process: 0, statement: 3, how: 'crash-before', later: true },
      { do: 'hours pass', hours: 24 },
      { do: 'drain', process: 0, later: true },
    ],
  },
  {
    why: 'the low-water mark goes no further than the read before last',
    steps: [
      { do: 'business', process: 0, portal: 1, what: ['began'], commit: true },
      {
        do: 'interleaved drain',
        process: 1,
        statement: 2,
        meanwhile: [
          { do: 'begin', process: 0, writes: true },
          { do: 'record', tx: 0, portal: 1, what: ['began'] },
          { do: 'business', process: 2, portal: 1, what: ['began'], commit: true },
        ],
        later: false,
      },
      { do: 'end', tx: 0, commit: true },
      { do: 'business', process: 2, portal: 1, what: ['began'], commit: true },
      { do: 'drain', process: 1, later: false },
    ],
  },
  {
    why: 'a process whose own lease ended unnoticed does not send twice at once',
    steps: [
      { do: 'business', process: 0, portal: 1, what: ['began'], commit: true },
      {
        do: 'held drain',
        process: 0,
        meanwhile: [
          { do: 'business', process: 1, portal: 1, what: ['began'], commit: true },
          { do: 'leases expire' },
          { do: 'drain', process: 0, later: false },
        ],
        later: false,
      },
    ],
  },
  {
    why: 'what was read ahead does not overtake what was committed since',
    steps: [
      { do: 'business', process: 0, portal: 1, what: ['began'], commit: true },
      { do: 'begin', process: 0, writes: true },
      { do: 'record', tx: 0, portal: 1, what: ['began'] },
      { do: 'business', process: 2, portal: 1, what: ['began'], commit: true },
      {
        do: 'interleaved drain',
        process: 1,
        statement: 3,
        meanwhile: [{ do: 'end', tx: 0, commit: true }],
        later: false,
      },
    ],
  },
  zombie('settles nothing', []),
  zombie('postpones nothing', [{ do: 'fault', portal: 1, faults: ['server error after accepting'] }]),
]

/** A process is held between the answer and the statement that notes it, until another has taken over and gone on. */
function zombie(what: string, weather: Action[]): { why: string; steps: Action[] } {
  const meanwhile: Action[] = [
    { do: 'leases expire' },
    { do: 'drain', process: 2, later: true },
    { do: 'business', process: 1, portal: 1, what: ['again', 'began'], commit: true },
    { do: 'drain', process: 1, later: true },
  ]
  return {
    why: `a zombie that wakes after its successor has delivered ${what}`,
    steps: [
      { do: 'business', process: 0, portal: 1, what: ['began', 'page', 'submitted'], commit: true },
      ...weather,
      { do: 'interleaved drain', process: 0, statement: 2, meanwhile, later: false },
    ],
  }
}
