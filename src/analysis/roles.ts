// What each interface is, and why: by what the operator said, by link type, by name, by the company it keeps.
import {
  ARPHRD_ETHERNET,
  ARPHRD_LOOPBACK,
  ARPHRD_NONE,
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LOOP,
  LINKTYPE_NULL,
  LINKTYPE_PPP,
  LINKTYPE_RAW,
  LINKTYPE_RAW_BSD,
  LINKTYPE_RAW_OPENBSD,
} from '../constants/wire.ts'
import { linkTypeLayer } from '../decoders/link-type.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import { LAYER_UNKNOWN } from '../model/layer.ts'
import type { InterfaceRole } from '../model/report.ts'

export interface RoleDecision {
  role: InterfaceRole
  /** One phrase each, the strongest first. */
  reasons: string[]
  /** A tunnel that may be there without a VPN: only what goes through it shows one. */
  isStanding?: boolean
}

/** What the operator said: names of interfaces or of capture files. */
export interface RoleOptions {
  tunnels: readonly string[]
  physicals: readonly string[]
}

/** Names that VPN programs and kernels give their tunnels. A name alone never outweighs a link layer that says otherwise. */
const TUNNEL_NAME =
  /^(tun|utun|wg|ipsec|gif|gre|sit|ip6tnl|vti|xfrm|l2tp|pptp|nordlynx|nordtun|proton|tailscale|mullvad|wgpia|surfshark|windscribe|cscotun|gpd|outline|cloudflarewarp|warp|zt|ham)[-_.\w]*$/i
/** Ethernet-like tunnels: the name is all there is to know them by. */
const ETHERNET_TUNNEL_NAME = /^(tap|zt|ham|feth)[-_.\w]*$/i
/**
 * Interfaces of these names are there whether or not anybody uses them: macOS keeps utun (its own services'), gif and
 * stf, Linux one of each kind of tunnel whose module is loaded.
 */
const STANDING_NAME = /^(utun|gif|stf|sit|gre|ip6tnl|vti|xfrm)[-_.\w]*$/i
/** Networks among their own members: the internet goes through them only where one member is made the exit. */
const MESH_NAME = /^(tailscale|nebula|netbird|wt\d|zt|ham)[-_.\w]*$/i
const LOOPBACK_NAME = /^lo\d*$/i
const VIRTUAL_NAME =
  /^(veth|docker|br-|virbr|vmnet|vnet\d|vboxnet|lxc|lxd|incus|cni|flannel|cali|podman|bridge)[-_.\w]*$/i
/** 464XLAT's own interface (RFC 6877), of Android and of clatd: what enters it leaves as IPv6 on the way out beside it. */
const TRANSLATOR_NAME = /^(clat|v4-)[-_.\w]*$/i
/** Cellular modems are layer-3 interfaces and yet the way out of the machine. */
const CELLULAR_NAME = /^(wwan|rmnet|ccmni|pdp_ip|wwp|qmi)[-_.\w]*$/i

/** A mesh of its members by its name, and nobody said that it is the VPN. */
export function isMesh(one: CaptureInterface, { tunnels }: Pick<RoleOptions, 'tunnels'>): boolean {
  return MESH_NAME.test(one.name ?? '') && !isNamed(one, tunnels)
}

/**
 * Decides the role of every interface. `carriesVpn(id)`: a VPN's transport was seen on that interface, which makes
 * a layer-3 interface beside it a tunnel. `told(name)`: what the kernel said where the capture was made.
 */
export function decideRoles(
  interfaces: readonly CaptureInterface[],
  options: RoleOptions,
  carriesVpn: (interfaceId: number) => string | undefined,
  told: (interfaceName: string) => RoleDecision | undefined = () => undefined,
): RoleDecision[] {
  const beside = interfaces.find((one) => isEthernet(one) && !isVirtualName(one.name))
  const hasWayOut = beside !== undefined || interfaces.some((one) => CELLULAR_NAME.test(one.name ?? ''))
  return interfaces.map((one) => decideRole(one, options, { beside, hasWayOut }, carriesVpn, told))
}

/** The company an interface keeps: Ethernet, and whether that or a modem leads out of the machine. */
interface Company {
  beside: CaptureInterface | undefined
  hasWayOut: boolean
}

function decideRole(
  one: CaptureInterface,
  options: RoleOptions,
  company: Company,
  carriesVpn: (interfaceId: number) => string | undefined,
  told: (interfaceName: string) => RoleDecision | undefined,
): RoleDecision {
  if (isNamed(one, options.tunnels)) return { role: 'tunnel', reasons: ['named with --tunnel'] }
  if (isNamed(one, options.physicals)) return { role: 'physical', reasons: ['named with --physical'] }
  const name = one.name ?? ''
  const known = told(name)
  if (known !== undefined) return known
  const byHardware = hardwareRole(one, company.beside, carriesVpn(one.id))
  if (byHardware !== undefined) return byHardware
  const link = linkWord(one.linkType)
  if (LOOPBACK_NAME.test(name) || one.linkType === LINKTYPE_LOOP) {
    return { role: 'loopback', reasons: [name === '' ? `link type ${link}` : `name ${name}`] }
  }
  if (isVirtualName(name)) return { role: 'virtual', reasons: [`name ${name}`] }
  const transport = carriesVpn(one.id)
  if (isLayer3(one.linkType)) return layer3Role(name, link, one, company, transport)
  if (ETHERNET_TUNNEL_NAME.test(name)) return { role: 'tunnel', reasons: [`name ${name}`] }
  if (linkTypeLayer(one.linkType) === LAYER_UNKNOWN)
    return { role: 'unknown', reasons: [`link type ${link}, not read`] }
  const reasons = [`link type ${link}`]
  if (transport !== undefined) reasons.push(`carries ${transport}`)
  return { role: 'physical', reasons }
}

/** What the kernel says the hardware is, in the cooked header of every packet. */
function hardwareRole(
  one: CaptureInterface,
  beside: CaptureInterface | undefined,
  transport: string | undefined,
): RoleDecision | undefined {
  switch (one.hardwareType) {
    case ARPHRD_LOOPBACK:
      return { role: 'loopback', reasons: ['hardware type 772 (loopback)'] }
    case ARPHRD_NONE:
      return beside === undefined
        ? { role: 'unknown', reasons: ['hardware type 65534 (none): a tunnel, a modem or a container'] }
        : {
            role: 'tunnel',
            reasons: [`hardware type 65534 (none), beside ${beside.name ?? beside.inputName} (Ethernet)`],
          }
    case ARPHRD_ETHERNET: {
      const reasons = ['hardware type 1 (Ethernet)']
      if (transport !== undefined) reasons.push(`carries ${transport}`)
      return { role: 'physical', reasons }
    }
    default:
      return undefined
  }
}

function isEthernet(one: CaptureInterface): boolean {
  return one.linkType === LINKTYPE_ETHERNET || one.hardwareType === ARPHRD_ETHERNET
}

function layer3Role(
  name: string,
  link: string,
  one: CaptureInterface,
  { beside, hasWayOut }: Company,
  transport: string | undefined,
): RoleDecision {
  // A VPN inside a VPN: the way out is the Ethernet or the modem beside it.
  const isInner = hasWayOut && TUNNEL_NAME.test(name)
  if (transport !== undefined && !isInner) {
    return { role: 'physical', reasons: [`carries ${transport}`, `link type ${link}`] }
  }
  if (CELLULAR_NAME.test(name)) return { role: 'physical', reasons: [`name ${name}`, `link type ${link}`] }
  if (TUNNEL_NAME.test(name)) {
    const reasons = [`name ${name}`, `link type ${link}, no link layer`]
    return { role: 'tunnel', reasons, isStanding: STANDING_NAME.test(name) }
  }
  if (beside !== undefined && one.linkType !== LINKTYPE_PPP && one.linkType !== LINKTYPE_NULL) {
    const other = beside.name ?? beside.inputName
    const reasons = [`link type ${link}, no link layer, beside ${other} (Ethernet)`]
    return { role: 'tunnel', reasons, isStanding: true }
  }
  return { role: 'unknown', reasons: [`link type ${link}: a tunnel, a modem or a converted capture`] }
}

export function isNamed(one: CaptureInterface, names: readonly string[]): boolean {
  return names.some((name) => name === one.name || name === one.inputName)
}

function isVirtualName(name: string | undefined): boolean {
  return name !== undefined && (VIRTUAL_NAME.test(name) || TRANSLATOR_NAME.test(name))
}

/** Packets begin at the IP header, or behind four bytes of address family. */
function isLayer3(linkType: number): boolean {
  switch (linkType) {
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
    case LINKTYPE_IPV4:
    case LINKTYPE_IPV6:
    case LINKTYPE_NULL:
    case LINKTYPE_PPP:
      return true
    default:
      return false
  }
}

function linkWord(linkType: number): string {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return 'Ethernet'
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
      return 'Raw IP'
    case LINKTYPE_IPV4:
      return 'Raw IPv4'
    case LINKTYPE_IPV6:
      return 'Raw IPv6'
    case LINKTYPE_NULL:
      return 'Null/loopback'
    case LINKTYPE_LOOP:
      return 'OpenBSD loopback'
    case LINKTYPE_PPP:
      return 'PPP'
    default:
      return String(linkType)
  }
}
