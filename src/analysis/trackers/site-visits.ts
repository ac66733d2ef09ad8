// Connections to named sites, each with what its facts told: TLS, HTTP, QUIC, losses and its figures. A connection becomes
// a visit when a name is seen (SNI, Host), or when it fails and a DNS answer gave its address.
import { MAX_OPEN_VISITS } from '../../constants/limits.ts'
import { IPPROTO_TCP } from '../../constants/wire.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { FactHandlers } from '../../model/facts.ts'
import type { OwnProbes } from '../../model/own-probes.ts'
import type { HttpFact } from '../../model/protocol-facts.ts'
import type { TlsStage } from '../../model/site.ts'
import { tlsAlertName, tlsVersionName } from '../../text/tls-tables.ts'
import { makeRoom } from '../make-room.ts'
import { refusesHandshake } from '../tls-alerts.ts'

export interface VisitTls {
  stage: TlsStage
  version?: string
  alpn?: string
  issuer?: string
  alert?: string
  isReset: boolean
  resetTtl: number
  serverTtl: number
}

export interface VisitHttp {
  status: number
  path: string
  server?: string
  via?: string
  cfRay?: string
  proxyStatus?: string
  xCache?: string
  bodyLen: number
  /** Not all of it was seen. */
  isPartial: boolean
  /** −1 when the request was not seen. */
  firstByteMillis: number
  frame: number
}

/** One connection. Written to while it lasts, also after it was given to its epoch. */
export interface Visit {
  /** '' while only its address is known. */
  host: string
  timeMicros: number
  interfaceId: number
  clientPort: number
  address: string
  port: number
  ipVersion: number
  frame: number
  connect: 'answered' | 'refused' | 'silent'
  rttMillis: number
  mssToServer: number
  mssToClient: number
  packets: number
  retransmissions: number
  bytesToClient: number
  tls: VisitTls | undefined
  /** The worst answer, and how many there were. */
  http: VisitHttp | undefined
  responses: number
  unanswered: number
  /** Undefined for TCP. */
  quicAnswered: boolean | undefined
  isStalled: boolean
  isReset: boolean
  lostUp: boolean
  lostLen: number
  deliveredLen: number
  /** Other sites asked on the same connection, by host (RFC 9113 9.1.1; a proxy). They have HTTP and no figures of their own. */
  others: Map<string, Visit> | undefined
  /** Who has to hear of changes. */
  owner: { isTold: boolean; isTaken: boolean } | undefined
}

export interface VisitTracker {
  readonly handlers: FactHandlers
  /** Visits begun since the last call. */
  takeBegun(): Visit[]
  /** Something was told since the last call. */
  takeChanged(): boolean
  begunCount(): number
}

/** Characters kept of a header. */
const MAX_HEADER_LEN = 200
/** Sites told apart on one connection beside the first: pages of one operator share their connections. */
const MAX_OTHERS = 8

/**
 * `hasName(serverId)`: a DNS answer held that address, so that a failed connection may belong to a site. `own`: connections
 * of ours, which have their name from us.
 */
export function createVisitTracker(hasName: (serverId: number) => boolean, own?: OwnProbes): VisitTracker {
  const open = new Map<number, Visit>()
  let begun: Visit[] = []
  let changed = false

  function visitOf(fact: ConnectionFact, host: string): Visit {
    const found = known(fact)
    if (found !== undefined) return found
    changed = true
    makeRoom(open, MAX_OPEN_VISITS)
    const made = newVisit(host, fact)
    made.frame = fact.frameNumber
    open.set(fact.flowId, made)
    begun.push(made)
    return made
  }

  /** The visit of a flow that is one already. */
  function known(fact: ConnectionFact): Visit | undefined {
    const visit = open.size === 0 ? undefined : open.get(fact.flowId)
    if (visit !== undefined) note(visit)
    return visit
  }

  function note(visit: Visit): void {
    changed = true
    if (visit.owner === undefined) return
    visit.owner.isTold = false
    visit.owner.isTaken = false
  }

  /** The visit that an exchange belongs to; undefined when that is not known. */
  function asked(request: HttpFact | undefined, response: HttpFact | undefined): Visit | undefined {
    const fact = (request ?? response)!
    const visit = known(fact)
    const host = hostName(request?.host ?? '')
    if (visit === undefined || host === visit.host) return visit
    // HTTP/1 is asked for one site after the other; what answers in HTTP/2 may be anybody's.
    if (host === '') return request === undefined && fact.protocol === HTTP_2 ? undefined : visit
    let other = visit.others?.get(host)
    if (other === undefined) {
      if (visit.others !== undefined && visit.others.size >= MAX_OTHERS) return undefined
      visit.others ??= new Map()
      const { interfaceId, clientPort, address: serverAddress, port: serverPort, ipVersion } = visit
      other = newVisit(host, {
        timeMicros: fact.timeMicros,
        interfaceId,
        clientPort,
        serverAddress,
        serverPort,
        ipVersion,
      })
      other.frame = fact.frameNumber
      visit.others.set(host, other)
      begun.push(other)
    }
    note(other)
    return other
  }

  const handlers: FactHandlers = {
    tls(message) {
      if (message.kind === 'client-hello') {
        // The name of an address is not sent (RFC 6066 3).
        const name = message.sni || own?.siteOf(message.clientPort, message.serverAddress)
        if (name === undefined) return
        const visit = visitOf(message, hostName(name))
        visit.tls ??= { stage: 'client-hello', isReset: false, resetTtl: -1, serverTtl: -1 }
        return
      }
      const visit = known(message)
      const tls = visit?.tls
      if (visit === undefined || tls === undefined) return
      if (message.kind === 'alert') {
        // A client's alert says what it thinks of the server's certificate: that handshake failed too.
        if (refusesHandshake(message)) tls.alert = tlsAlertName(message.alertDescription!)
        return
      }
      // A client's own certificate says nothing of the server.
      if (message.fromClient) return
      visit.isStalled = false
      if (message.kind === 'server-hello') {
        tls.stage = 'server-hello'
        if (message.version !== undefined) tls.version = tlsVersionName(message.version)
      } else if (message.kind === 'certificate') {
        tls.stage = 'certificate'
        if (message.issuer !== undefined) tls.issuer = message.issuer.slice(0, MAX_HEADER_LEN)
      }
      if (message.serverAlpn !== undefined) tls.alpn = message.serverAlpn
    },
    quic(message) {
      if (message.kind === 'client-hello') {
        if (message.sni === undefined || message.sni === '') return
        visitOf(message, hostName(message.sni)).quicAnswered ??= false
      } else {
        const visit = known(message)
        if (visit !== undefined) visit.quicAnswered = true
      }
    },
    http(message) {
      if (message.kind === 'request' && message.host !== undefined && message.host !== '') {
        visitOf(message, hostName(message.host))
      }
    },
    httpExchange(request, response) {
      const visit = asked(request, response)
      if (visit === undefined) return
      if (response?.status === undefined) {
        if (request !== undefined && response === undefined && request.answerLost !== true) visit.unanswered++
        return
      }
      if (response.status < 200) return
      visit.responses++
      if (response.partial !== 'lost') visit.isStalled = false
      if (visit.http !== undefined && badness(visit.http.status) > badness(response.status)) return
      visit.http = readHttp(request, response)
    },
    stall(fact) {
      const visit = known(fact)
      if (visit === undefined) return
      const isShown =
        (!fact.clientAcknowledged && fact.sentCount > 1) ||
        fact.gapLen > 0 ||
        (fact.serverBytes === 0 && fact.closedByClient)
      if (isShown) visit.isStalled = true
    },
    reset(fact) {
      const visit = known(fact)
      if (visit === undefined || fact.fromClient || fact.serverBytes > 0) return
      visit.isReset = true
      if (visit.tls === undefined) return
      visit.tls.isReset = true
      visit.tls.resetTtl = fact.ttl
      visit.tls.serverTtl = fact.handshakeTtl
    },
    sizeLoss(fact) {
      const visit = known(fact)
      if (visit === undefined) return
      visit.lostUp = fact.fromClient
      visit.lostLen = fact.lostLen
      visit.deliveredLen = fact.deliveredLen
    },
    flow(fact) {
      const visit = known(fact)
      if (visit === undefined) return
      open.delete(fact.flowId)
      visit.packets = fact.packetsToServer + fact.packetsToClient
      visit.bytesToClient = fact.bytesToClient
      visit.retransmissions = fact.retransmissions
      if (fact.ipProtocol !== IPPROTO_TCP) {
        visit.quicAnswered = fact.packetsToClient > 0
        return
      }
      visit.rttMillis = fact.rttMillis
      visit.mssToServer = fact.mssToServer
      visit.mssToClient = fact.mssToClient
      const { tls } = visit
      if (tls !== undefined && tls.stage !== 'client-hello' && tls.alert === undefined && !visit.isStalled) {
        tls.stage = 'established'
      }
    },
    connectionOpened(connection) {
      if (connection.outcome === 'answered') return
      const name = own?.siteOf(connection.clientPort, connection.serverAddress)
      if (name === undefined && !hasName(connection.serverId)) return
      if (begun.length >= MAX_OPEN_VISITS) return
      changed = true
      const made = newVisit(name ?? '', connection)
      made.frame = connection.frame
      made.connect = connection.outcome
      begun.push(made)
    },
  }

  return {
    handlers,
    takeBegun() {
      const taken = begun
      begun = []
      return taken
    },
    takeChanged() {
      const was = changed
      changed = false
      return was
    },
    begunCount: () => begun.length,
  }
}

const HTTP_2 = 'HTTP/2'

/** Lower case, without port and final dot. */
function hostName(text: string): string {
  return text.slice(0, 255).toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
}

type ConnectionEnds = Pick<
  ConnectionFact,
  'timeMicros' | 'interfaceId' | 'clientPort' | 'serverAddress' | 'serverPort' | 'ipVersion'
>

function newVisit(host: string, from: ConnectionEnds): Visit {
  return {
    host,
    timeMicros: from.timeMicros,
    interfaceId: from.interfaceId,
    clientPort: from.clientPort,
    address: from.serverAddress,
    port: from.serverPort,
    ipVersion: from.ipVersion,
    frame: 0,
    connect: 'answered',
    rttMillis: -1,
    mssToServer: 0,
    mssToClient: 0,
    packets: 0,
    retransmissions: 0,
    bytesToClient: 0,
    tls: undefined,
    http: undefined,
    responses: 0,
    unanswered: 0,
    quicAnswered: undefined,
    isStalled: false,
    isReset: false,
    lostUp: false,
    lostLen: 0,
    deliveredLen: 0,
    others: undefined,
    owner: undefined,
  }
}

function readHttp(request: HttpFact | undefined, response: HttpFact): VisitHttp {
  const cut = (text: string) => text.slice(0, MAX_HEADER_LEN)
  return {
    status: response.status!,
    path: cut((request?.url ?? '').replace(/\?.*$/s, '')),
    ...(response.server === undefined ? {} : { server: cut(response.server) }),
    ...(response.via === undefined ? {} : { via: cut(response.via) }),
    ...(response.cfRay === undefined ? {} : { cfRay: cut(response.cfRay) }),
    ...(response.proxyStatus === undefined ? {} : { proxyStatus: cut(response.proxyStatus) }),
    ...(response.xCache === undefined ? {} : { xCache: cut(response.xCache) }),
    bodyLen: response.bodyLen ?? 0,
    isPartial: response.partial !== undefined,
    firstByteMillis: request === undefined ? -1 : Math.max(0, (response.headMicros - request.timeMicros) / 1000),
    frame: response.frameNumber,
  }
}

/** A gateway's failure says more than a refusal, and that more than an answer. */
function badness(status: number): number {
  return isGatewayStatus(status) ? 3 : isRefusalStatus(status) ? 2 : status >= 500 ? 1 : 0
}

/** RFC 9110 15.6.3 to 15.6.5. */
export function isGatewayStatus(status: number): boolean {
  return status >= 502 && status <= 504
}

/** RFC 9110 15.5.4, RFC 6585 4 and 6, RFC 7725 3. */
export function isRefusalStatus(status: number): boolean {
  return status === 403 || status === 429 || status === 451 || status === 511
}
