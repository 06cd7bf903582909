// serve [fault PATH STATUS|break|hang|pause]... -- COMMAND: the world's bucket behind http while the command runs, which finds it at $ADDRESS.
// `pause`: the second half comes once there is a file $WORLD/go.
import { spawn } from 'node:child_process'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

const end = process.argv.indexOf('--')
const faults = new Map<string, string>()
for (let at = 2; at + 2 < end + 1; at += 3) faults.set(process.argv[at + 1] ?? '', process.argv[at + 2] ?? '')
const root = process.env['WORLD'] ?? ''
const bucket = join(root, 'bucket')

const server = createServer((request, response) => {
  const path = decodeURIComponent(request.url ?? '/').slice(1)
  const fault = faults.get(path)
  if (fault === 'break') {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('the beginning')
    setTimeout(() => response.destroy(), 50)
  } else if (fault === 'hang') response.writeHead(200).flushHeaders()
  else if (fault === 'pause') {
    const bytes = readFileSync(join(bucket, path))
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, bytes.length / 2))
    const timer = setInterval(() => {
      if (!existsSync(join(root, 'go'))) return
      clearInterval(timer)
      response.end(bytes.subarray(bytes.length / 2))
    }, 20)
    response.on('close', () => clearInterval(timer))
  } else if (fault !== undefined) response.writeHead(Number(fault)).end('no')
  else if (path.includes('..') || !isFile(join(bucket, path))) response.writeHead(404).end('absent')
  else createReadStream(join(bucket, path)).pipe(response.writeHead(200))
})
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = { ...process.env, ADDRESS: address }
  const child = spawn('sh', ['-c', process.argv.slice(end + 1).join(' ')], { stdio: 'inherit', env })
  child.on('exit', (code) => {
    server.close()
    server.closeAllConnections()
    process.exitCode = code ?? 255
  })
})

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
