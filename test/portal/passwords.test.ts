import { defaultSettings } from '../../src/portal/context'
import { decoyHash, hashPassword, verifyPassword } from '../../src/portal/services/passwords'

it('matches the password that was hashed, and no other', async () => {
  const stored = await hashPassword('analytical engine', 4)
  expect(await verifyPassword('analytical engine', stored)).toBe(true)
  expect(await verifyPassword('Analytical engine', stored)).toBe(false)
  expect(await verifyPassword('', stored)).toBe(false)
})

it('salts: the same password has another hash each time', async () => {
  expect(await hashPassword('same', 4)).not.toBe(await hashPassword('same', 4))
})

it('knows a password in both ways of writing é', async () => {
  expect(await verifyPassword('caf\u0065\u0301', await hashPassword('caf\u00e9', 4))).toBe(true)
})

it('works at the default cost, whatever cost is configured later', async () => {
  const stored = await hashPassword('secret', defaultSettings.passwordCost)
  expect(stored).toMatch(/^scrypt\$15\$[\w-]{22}\$[\w-]{43}$/)
  expect(await verifyPassword('secret', stored)).toBe(true)
})

it('has decoys that nothing matches, of the same form and cost', async () => {
  expect(decoyHash(4)).toMatch(/^scrypt\$4\$[\w-]{22}\$[\w-]{43}$/)
  expect(await verifyPassword('', decoyHash(4))).toBe(false)
})

it('fails loudly on a hash that is none', async () => {
  await expect(verifyPassword('x', 'plain text')).rejects.toThrow('malformed')
})
