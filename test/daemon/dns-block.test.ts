// Rules that keep DNS from leaving beside the tunnel, as nft and iptables-save print them.
import { spawnSync } from 'node:child_process'
import { type DnsWay, dnsBlock, iptablesOutputRules, nftOutputRules } from '../../src/daemon/dns-block.ts'
import { canMakeNamespaces, Namespace, sayNotRun } from '../native/namespace.ts'

const way = (changes: Partial<DnsWay> = {}): DnsWay => ({
  family: 4,
  transport: 'udp',
  outputInterface: 'eth0',
  ...changes,
})
const chain = (rules: string, table = 'inet', policy = 'accept') =>
  `table ${table} vpn {\n\tchain out {\n\t\ttype filter hook output priority filter; policy ${policy};\n\t\t${rules}\n\t}\n}\n`
const outcome = (ruleset: string, changes: Partial<DnsWay> = {}) =>
  dnsBlock(nftOutputRules(ruleset), way(changes)).outcome

describe('nftables', () => {
  test.each([
    ['oifname != "wg0" udp dport 53 drop', 'blocked'],
    ['oifname "eth0" udp dport domain counter packets 0 bytes 0 drop', 'blocked'],
    ['oifname { "eth0", "wlan0" } meta l4proto { tcp, udp } th dport 53 reject', 'blocked'],
    ['udp dport { 53, 853 } oifname "eth*" reject with icmpx port-unreachable', 'blocked'],
    ['udp dport 50-60 drop', 'blocked'],
    ['oifname != "wg0" meta mark != 0x0000ca6c fib daddr type != local reject', 'blocked'],
    ['oifname "wg0" udp dport 53 drop', 'open'],
    ['tcp dport 53 drop', 'open'],
    ['udp dport 5353 drop', 'open'],
    ['oifname "wg0" accept\n\t\tdrop', 'blocked'],
    ['udp dport 53 accept\n\t\tdrop', 'open'],
    ['meta nfproto ipv6 udp dport 53 drop', 'open'],
    ['ip daddr 192.0.2.53 udp dport 53 drop', 'partly'],
    ['udp dport 53 limit rate 5/second drop', 'partly'],
  ])('%s: %s', (rules, expected) => {
    expect(outcome(chain(rules))).toBe(expected)
  })

  test('transport and family are told apart', () => {
    const ruleset = chain('oifname != "wg0" udp dport 53 drop', 'ip')
    expect(outcome(ruleset)).toBe('blocked')
    expect(outcome(ruleset, { transport: 'tcp' })).toBe('open')
    expect(outcome(ruleset, { family: 6 })).toBe('open')
    expect(outcome(ruleset, { outputInterface: 'wg0' })).toBe('open')
  })

  test('a policy of drop blocks what no rule lets through', () => {
    expect(outcome(chain('oifname "wg0" accept', 'inet', 'drop'))).toBe('blocked')
    expect(outcome(chain('oifname "eth0" accept', 'inet', 'drop'))).toBe('open')
  })

  test('chains that outgoing packets do not pass say nothing', () => {
    expect(outcome(chain('udp dport 53 drop').replace('hook output', 'hook forward'))).toBe('open')
    expect(
      outcome('table bridge b {\n\tchain out {\n\t\ttype filter hook output priority 0; policy drop;\n\t}\n}\n'),
    ).toBe('open')
  })
})

describe('iptables-save', () => {
  const saved = (rules: string, policy = 'ACCEPT') =>
    `*nat\n-A OUTPUT -p udp -m udp --dport 53 -j DROP\nCOMMIT\n*filter\n:OUTPUT ${policy} [0:0]\n${rules}\nCOMMIT\n`
  test.each([
    ['-A OUTPUT ! -o wg0 -p udp -m udp --dport 53 -j DROP', 'blocked'],
    [
      '-A OUTPUT ! -o wg0 -m mark ! --mark 0xca6c -m addrtype ! --dst-type LOCAL -j REJECT --reject-with icmp-port-unreachable',
      'blocked',
    ],
    ['-A OUTPUT -o eth0 -p udp -m multiport --dports 53,853 -j REJECT', 'blocked'],
    ['-A OUTPUT -o wg0 -p udp -m udp --dport 53 -j DROP', 'open'],
    ['-A OUTPUT -o eth0 -p tcp -m tcp --dport 53 -j DROP', 'open'],
    ['-A OUTPUT -m owner --uid-owner 1000 -p udp -m udp --dport 53 -j DROP', 'partly'],
    ['-A FORWARD -j DROP', 'open'],
  ])('%s: %s', (rules, expected) => {
    expect(dnsBlock(iptablesOutputRules(saved(rules), 4), way()).outcome).toBe(expected)
  })

  test('the policy counts', () => {
    expect(dnsBlock(iptablesOutputRules(saved('-A OUTPUT -o wg0 -j ACCEPT', 'DROP'), 4), way())).toMatchObject({
      outcome: 'blocked',
    })
  })
})

if (!canMakeNamespaces || spawnSync('nft', ['--version']).status !== 0) {
  test('the real nft did not run', () => sayNotRun('rules as nft itself prints them'))
} else {
  test('rules as nft itself prints them', () => {
    const space = new Namespace()
    try {
      const nft = (...words: string[]) =>
        spawnSync('ip', ['netns', 'exec', space.name, 'nft', ...words], { encoding: 'utf8' }).stdout
      nft(
        'add table inet t; add chain inet t o { type filter hook output priority 0; policy accept; }; add rule inet t o oifname != "tun0" udp dport 53 counter drop; add rule inet t o oifname != "tun0" tcp dport { 53, 853 } reject',
      )
      const rules = nftOutputRules(nft('list', 'ruleset'))
      expect(rules).toHaveLength(2)
      for (const transport of ['udp', 'tcp'] as const) {
        expect(dnsBlock(rules, way({ transport })).outcome).toBe('blocked')
        expect(dnsBlock(rules, way({ transport, outputInterface: 'tun0' })).outcome).toBe('open')
      }
    } finally {
      space.remove()
    }
  })
}
