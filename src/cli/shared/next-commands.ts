import type { MessageDetail, SourceState } from '../../operate/inspect/types'

const WHY = `--reason '…'`

/** What to run next, ready to be copied. Where it takes a decision, each of the choices. */
export function messageCommands({ messageId, status, source, explanation }: MessageDetail): string[] {
  const { actions } = explanation
  const inDoubt = actions.includes('mark-delivered')
  const commands: string[] = []
  if (actions.includes('send-again')) {
    const command = inDoubt ? `resolve --id ${messageId} --send-again` : `redrive --id ${messageId}`
    commands.push(`synap-outbox ${command} ${WHY}`)
  }
  if (inDoubt) commands.push(`synap-outbox resolve --id ${messageId} --mark-delivered ${WHY}`)
  if (actions.includes('discard') && status !== 'pending') {
    commands.push(`synap-outbox discard --id ${messageId} ${WHY}`)
  }
  return status === 'pending' && source ? [...commands, ...sourceCommands(source)] : commands
}

export function sourceCommands({ portalId, health, dead, uncertain }: SourceState): string[] {
  const portal = quoted(portalId)
  if (health === 'paused' || health === 'disabled') return [`synap-outbox sources resume ${portal} ${WHY}`]
  if (health === 'failing') return [`synap-outbox sources retry ${portal} ${WHY}`]
  if (health === 'behind') return ['synap-outbox doctor']
  return dead + uncertain > 0 ? [`synap-outbox dead --portal ${portal}`] : []
}

/** An argument as a shell takes it. One that would steer the terminal is not repeated. */
function quoted(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text)) return text
  return `'${text.replaceAll("'", `'\\''`)}'`
}
