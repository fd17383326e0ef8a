import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { SecretKeyError } from '../errors'

/** AES-256 takes 32 bytes; GCM's nonce has 12 and its tag 16 (NIST SP 800-38D). */
const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

export interface EncryptedWriteKey {
  readonly ciphertext: Buffer
  /** Which secret key it was encrypted with. */
  readonly secretId: string
}

/**
 * Encrypts write keys with AES-256-GCM, bound to their source: a ciphertext copied to another row does not decrypt.
 * The first secret key encrypts, all of them decrypt, so a new one is put in front to rotate.
 */
export class WriteKeyCipher {
  readonly #keys: ReadonlyMap<string, Buffer>
  /** Id of the secret key that encrypts. */
  readonly currentId: string

  /**
   * @param secretKeys `id:base64` pairs separated by commas, as in OUTBOX_SECRET_KEYS; each key has 32 bytes
   *   (`openssl rand -base64 32`). Throws SecretKeyError where one is malformed; its bytes are never in the message.
   */
  constructor(secretKeys: string | undefined) {
    this.#keys = parseSecretKeys(secretKeys)
    this.currentId = this.#keys.keys().next().value as string
  }

  /** Ids of all secret keys, the one that encrypts first. */
  get secretIds(): string[] {
    return [...this.#keys.keys()]
  }

  encrypt(sourceId: string, writeKey: string): EncryptedWriteKey {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.#key(this.currentId), nonce)
    cipher.setAAD(Buffer.from(sourceId))
    const text = Buffer.concat([cipher.update(writeKey, 'utf8'), cipher.final()])
    return { ciphertext: Buffer.concat([nonce, text, cipher.getAuthTag()]), secretId: this.currentId }
  }

  /** Throws SecretKeyError where the secret key is not known, or the ciphertext is not of this source. */
  decrypt(sourceId: string, { ciphertext, secretId }: EncryptedWriteKey): string {
    const decipher = createDecipheriv('aes-256-gcm', this.#key(secretId), ciphertext.subarray(0, NONCE_BYTES))
    decipher.setAAD(Buffer.from(sourceId))
    decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES))
    try {
      const text = decipher.update(ciphertext.subarray(NONCE_BYTES, -TAG_BYTES))
      return Buffer.concat([text, decipher.final()]).toString('utf8')
    } catch (cause) {
      throw new SecretKeyError(
        `The write key of source ${sourceId} does not decrypt with the secret key "${secretId}".`,
        'Its messages wait until it does.',
        'Put the secret key that it was saved with back under that id, or save the write key again.',
        cause,
      )
    }
  }

  /**
   * Keys for another purpose, one from each secret key, the current one's first (HKDF, RFC 5869): every process with
   * the same secret keys has the same, and none tells anything of the key it comes from.
   */
  deriveKeys(purpose: string): Buffer[] {
    return [...this.#keys.values()].map((key) =>
      Buffer.from(hkdfSync('sha256', key, '', `synap-outbox ${purpose}`, KEY_BYTES)),
    )
  }

  #key(id: string): Buffer {
    const key = this.#keys.get(id)
    if (key) return key
    throw new SecretKeyError(
      `A write key was encrypted with the secret key "${id}", which is not among the secret keys.`,
      'Its messages wait until it can be decrypted.',
      `Add "${id}:…" back to OUTBOX_SECRET_KEYS behind the current key, or save the write key again.`,
    )
  }
}

function parseSecretKeys(secretKeys: string | undefined): Map<string, Buffer> {
  const keys = new Map<string, Buffer>()
  for (const pair of (secretKeys ?? '').split(',').filter((part) => part.trim() !== '')) {
    const [id = '', encoded = ''] = pair.trim().split(/:(.*)/s)
    const key = Buffer.from(encoded, 'base64')
    if (id === '' || key.length !== KEY_BYTES || keys.has(id)) {
      throw new SecretKeyError(
        keys.has(id)
          ? `The secret key id "${id}" is given twice.`
          : `Secret key number ${keys.size + 1} is not an id, a colon and 32 bytes in base64.`,
        'Write keys are stored encrypted and cannot be read or saved without it.',
        'Set OUTBOX_SECRET_KEYS to "k1:" followed by the output of `openssl rand -base64 32`; older keys follow after a comma.',
      )
    }
    keys.set(id, key)
  }
  if (keys.size > 0) return keys
  throw new SecretKeyError(
    'No secret key is given.',
    'Write keys are stored encrypted, so without one no source can be saved or sent for.',
    'Set OUTBOX_SECRET_KEYS to "k1:" followed by the output of `openssl rand -base64 32`.',
  )
}
