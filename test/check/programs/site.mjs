// A site for tests, on every address of its namespace. `site.mjs NAME STATUS [KEY CERTIFICATE]`: port 80 answers with STATUS
// and `Server: NAME`, port 443 the same inside TLS; the other ports are hostile, each in its own way.
import { readFileSync } from 'node:fs'
import { createServer as createHttp } from 'node:http'
import { createServer as createHttps } from 'node:https'
import { createServer } from 'node:net'

const [name, status, key, certificate] = process.argv.slice(2)
function answer(request, response) {
  console.log(
    `seen ${JSON.stringify({ from: request.socket.remoteAddress, url: request.url, headers: request.headers })}`,
  )
  if (request.url === '/moved') response.setHeader('Location', 'https://user:secret@other.example/there?token=secret')
  response.writeHead(Number(status), { Server: name, 'Set-Cookie': 'id=secret' })
  response.end(`hello from ${name}\n`)
}

/** What a client is sent on each port; `write` may be called for as long as it stays. */
const HOSTILE = {
  8001: (write) => {
    write('HTTP/1.1 200 OK\r\n')
    return every(1, () => write(`X-Header: ${'a'.repeat(1000)}\r\n`))
  },
  8002: (write) => {
    const drops = [...'HTTP/1.1 200 OK\r\nServer: slow\r\n']
    return every(100, () => write(drops.shift() ?? 'x'))
  },
  8003: (write) => {
    write('HTTP/1.1 200 OK\r\nServer: endless\r\n\r\n')
    return every(1, () => write('a'.repeat(65_536)))
  },
  8004: (write) => write('\x00\xff this is neither TLS nor HTTP \x1b[2J\r\n\r\n'),
  8005: () => {},
  8006: (_, socket) => socket.end(),
  8007: (write) => every(1, () => write('HTTP/1.1 100 Continue\r\n\r\n')),
  8008: (write) => write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'),
  8009: (write) => write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nServer: part\r\n\r\nonly this'),
  8010: (_, socket) => socket.resetAndDestroy(),
  8011: (write) => write(`HTTP/1.1 502 Bad\x1b[2J Gateway\r\nServer: \x1b[2Jevil\r\nVia: ${'v'.repeat(5000)}\r\n\r\n`),
  8012: (write) => write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\nbinary'),
  8013: (write) => write('HTTP/1.1 204 No Content\r\nLocation: http://a/\r\n\r\n'),
}

function every(millis, action) {
  const timer = setInterval(action, millis)
  return () => clearInterval(timer)
}

for (const [port, act] of Object.entries(HOSTILE)) {
  createServer((socket) => {
    let stop
    socket.on('error', () => {})
    socket.on('close', () => typeof stop === 'function' && stop())
    // Whoever speaks first is the client; garbage comes without being asked.
    stop = act((text) => socket.writableLength < 1 << 20 && socket.write(Buffer.from(text, 'latin1')), socket)
    socket.resume()
  }).listen(Number(port), '0.0.0.0')
}
createHttp(answer).listen(80, '0.0.0.0', () => console.log('listening'))
if (key !== undefined)
  createHttps({ key: readFileSync(key), cert: readFileSync(certificate) }, answer).listen(443, '0.0.0.0')
