/** nginx as a cache where people read: it ignores what the origin says of keeping, as some of those in the middle do. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onPath } from './installed.ts'
import { freePort, type Server, startServer, temporaryFolder } from './server.ts'

export const nginx = () => onPath('nginx')

/** Shows an answer for 30 s, whatever becomes of the origin meanwhile, and what was not there for ten minutes. */
export async function startCache(program: string, origin: string): Promise<Pick<Server, 'url' | 'stop'>> {
  const folder = temporaryFolder('nginx')
  const port = await freePort()
  const at = (name: string) => join(folder.path, name)
  const bodies = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${at(name)};`)
  const settings = `
    daemon off;
    ${process.getuid?.() === 0 ? 'user root;' : ''}
    worker_processes 1;
    pid ${at('pid')};
    error_log stderr;
    events {}
    http {
      access_log off;
      ${bodies.join('\n      ')}
      proxy_cache_path ${at('cache')} keys_zone=shown:1m;
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass ${origin};
          proxy_cache shown;
          proxy_ignore_headers Cache-Control Expires;
          proxy_cache_valid 200 30s;
          proxy_cache_valid 404 10m;
          add_header X-Cache $upstream_cache_status always;
        }
      }
    }`
  mkdirSync(at('cache'))
  writeFileSync(at('nginx.conf'), settings)
  const server = await startServer({
    command: program,
    args: ['-p', folder.path, '-c', at('nginx.conf')],
    port,
    ready: async (url) => (await fetch(`${url}/-`)).status > 0,
  })
  return {
    url: server.url,
    async stop() {
      await server.stop()
      folder.remove()
    },
  }
}
