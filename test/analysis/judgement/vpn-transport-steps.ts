// A WireGuard session as its packets look from outside: handshake both ways and some data (whitepaper 5.4).
import { udp } from '../../decoders/build-packet.ts'
import { ip, LAN_CLIENT, type Step } from '../scenario.ts'

/** Twelve packets within half a second. */
export function vpnTransport(on: string, atMillis: number, server: string, client = LAN_CLIENT): Step[] {
  const message = (type: number, length: number): Uint8Array => {
    const bytes = new Uint8Array(length).fill(0x5a)
    bytes.set([type, 0, 0, 0])
    return bytes
  }
  const out = (millis: number, bytes: Uint8Array): Step => ({
    atMillis: atMillis + millis,
    on,
    outgoing: true,
    ip: ip(client, server, 17, udp(40_000, 51_820, bytes)),
  })
  const back = (millis: number, bytes: Uint8Array): Step => ({
    atMillis: atMillis + millis,
    on,
    outgoing: false,
    ip: ip(server, client, 17, udp(51_820, 40_000, bytes)),
  })
  const data = [0, 1, 2, 3, 4].flatMap((index) => [
    out(40 + index * 80, message(4, 96)),
    back(70 + index * 80, message(4, 160)),
  ])
  return [out(0, message(1, 148)), back(20, message(2, 92)), ...data]
}
