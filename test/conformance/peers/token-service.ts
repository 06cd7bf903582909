/** A token service as registries expect one ("Token authentication" of the distribution project): real signed tokens, one user. */
import { spawnSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

export interface TokenService {
  /** `http://127.0.0.1:PORT/token` */
  readonly realm: string
  /** Configuration of the registry that believes it. */
  readonly settings: readonly string[]
  /** The same for version 2 of the distribution project's registry, which wants a certificate. */
  readonly certificateSettings: readonly string[]
  /** Scopes asked for, in order. */
  readonly asked: string[]
  /** Seconds that tokens live from now on, whatever the answer says (300). */
  life: number
  /** Whether the answer's field is `access_token`, as with OAuth2, or `token`. */
  field: 'token' | 'access_token'
  stop(): Promise<void>
}

export async function startTokenService(options: {
  readonly user: string
  readonly password: string
  readonly identityToken: string
  /** A path for the service's public key. */
  readonly keyFile: string
}): Promise<TokenService> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = fingerprint(publicKey)
  const certificate = certify(privateKey, `${options.keyFile}.pem`)
  writeFileSync(
    options.keyFile,
    JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }] }),
  )
  const basic = `Basic ${Buffer.from(`${options.user}:${options.password}`).toString('base64')}`
  const asked: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? '/', 'http://service')
      const form = request.method === 'POST' ? new URLSearchParams(await text(request)) : url.searchParams
      const known =
        request.method === 'POST'
          ? form.get('refresh_token') === options.identityToken
          : request.headers.authorization === basic
      const scopes = form
        .getAll('scope')
        .flatMap((scope) => scope.split(' '))
        .filter((scope) => scope !== '')
      asked.push(scopes.join(' '))
      if (!known && (request.method === 'POST' || request.headers.authorization !== undefined)) {
        response.writeHead(401, { 'content-type': 'application/json' })
        return void response.end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}')
      }
      const access = scopes.map((scope) => {
        const [type = '', ...rest] = scope.split(':')
        const actions = (rest.pop() ?? '').split(',')
        // Anybody may pull.
        return { type, name: rest.join(':'), actions: known ? actions : actions.filter((action) => action === 'pull') }
      })
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        iss: 'pitlane-test',
        aud: 'test-registry',
        sub: known ? options.user : '',
        iat: now,
        nbf: now - 1,
        exp: now + service.life,
        jti: randomBytes(8).toString('hex'),
        access,
      }
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const head = `${part({ typ: 'JWT', alg: 'ES256', kid })}.${part(claims)}`
      const signature = sign('sha256', Buffer.from(head), { key: privateKey, dsaEncoding: 'ieee-p1363' })
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ [service.field]: `${head}.${signature.toString('base64url')}`, expires_in: 300 }))
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const realm = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/token`
  const service: TokenService = {
    realm,
    asked,
    life: 300,
    field: 'token',
    settings: [
      'auth:',
      '  token:',
      `    realm: ${realm}`,
      '    service: test-registry',
      '    issuer: pitlane-test',
      `    jwks: ${options.keyFile}`,
      '    signingalgorithms: [ES256]',
    ],
    certificateSettings: [
      'auth:',
      '  token:',
      `    realm: ${realm}`,
      '    service: test-registry',
      '    issuer: pitlane-test',
      `    rootcertbundle: ${certificate}`,
    ],
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return service
}

/** How version 2 of the registry names a key ("Token authentication", kid): 240 bits of the SHA-256 of its DER form, in base32 by fours. */
function fingerprint(key: KeyObject): string {
  const digest = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 30)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = [...digest].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const letters = bits.match(/.{5}/g)?.map((five) => alphabet[Number.parseInt(five, 2)]) ?? []
  return letters.join('').match(/.{4}/g)?.join(':') ?? ''
}

/** A certificate of the key, signed by itself. @returns its path */
function certify(key: KeyObject, path: string): string {
  const secret = `${path}.key`
  writeFileSync(secret, key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  const args = ['req', '-new', '-x509', '-key', secret, '-subj', '/CN=test', '-days', '36500', '-out', path]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`)
  return path
}
