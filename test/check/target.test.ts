// Which URLs are opened, as what, and which are refused with one sentence.
import { leavesTheMachine, parseTarget } from '../../src/check/target.ts'

test('a host, a port, a path and a query', () => {
  expect(parseTarget('https://Shop.Example:8443/a/b?c=d#e')).toEqual({
    scheme: 'https',
    host: 'shop.example',
    port: 8443,
    hostHeader: 'shop.example:8443',
    requestTarget: '/a/b?c=d',
    path: '/a/b',
    shown: 'https://shop.example:8443/a/b',
  })
})

test('a bare host is https; a port of the scheme is not said again', () => {
  expect(parseTarget('shop.example')).toMatchObject({ scheme: 'https', port: 443, shown: 'https://shop.example/' })
  expect(parseTarget('shop.example:8080/x')).toMatchObject({ scheme: 'https', port: 8080, path: '/x' })
  expect(parseTarget('http://shop.example:80')).toMatchObject({ scheme: 'http', port: 80, hostHeader: 'shop.example' })
  expect(parseTarget('HTTP://shop.example')).toMatchObject({ scheme: 'http' })
})

test('names in other scripts become A-labels; a final dot goes', () => {
  expect(parseTarget('https://bücher.example/').host).toBe('xn--bcher-kva.example')
  expect(parseTarget('https://shop.example.:8443/')).toMatchObject({
    host: 'shop.example',
    hostHeader: 'shop.example:8443',
  })
})

test('an address needs no name', () => {
  expect(parseTarget('https://198.51.100.80/')).toMatchObject({ host: '198.51.100.80', addressFamily: 4 })
  expect(parseTarget('http://[2001:DB8:100:0::80]:8080/')).toMatchObject({
    host: '2001:db8:100::80',
    addressFamily: 6,
    hostHeader: '[2001:db8:100::80]:8080',
  })
  expect(parseTarget('http://[::ffff:198.51.100.80]/')).toMatchObject({ host: '198.51.100.80', addressFamily: 4 })
  expect(parseTarget('shop.example').addressFamily).toBeUndefined()
})

test.each([
  ['ftp://shop.example/', 'http:// and https:// only'],
  ['https://user:secret@shop.example/', 'user name or password'],
  ['https://shop.example:99999/', 'no URL'],
  ['https://shop.example:0/', 'no port 0'],
  ['javascript:alert(1)', 'no URL'],
  ['', 'no URL'],
  ['https://', 'no URL'],
  ['https://a..b/', 'no name that can be asked for'],
  [`https://${'a'.repeat(64)}.example/`, 'no name that can be asked for'],
  [`https://shop.example/${'a'.repeat(9000)}`, 'more than 8192 characters'],
  ['https://localhost/', 'this machine itself'],
  ['https://app.localhost/', 'this machine itself'],
  ['https://127.0.0.1/', 'this machine itself'],
  ['http://0x7f.1/', 'this machine itself'],
  ['http://[::1]/', 'this machine itself'],
  ['http://0.0.0.0/', 'this machine itself'],
  ['http://224.0.0.1/', 'no single host'],
  ['http://255.255.255.255/', 'no single host'],
])('%s is refused', (url, words) => {
  expect(() => parseTarget(url)).toThrow(
    expect.objectContaining({ code: 'bad-url', message: expect.stringContaining(words) }),
  )
})

test('what is refused is told without its query and without its password', () => {
  for (const url of [
    'ftp://shop.example/?token=secret',
    'ftp://shop.example/?token=secret&mail=anna@example',
    'https://anna:secret@shop.example/',
    'https://anna:secret/word@shop.example/',
    'https://anna:secret?word@shop.example/',
    'https://anna:secret#word@shop.example/',
    'https://anna:secret@word@shop.example/',
    'anna:secret\\word@shop.example',
  ]) {
    expect(() => parseTarget(url)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('secret') }))
  }
})

test('answers that lead to this machine or to nobody are not gone to', () => {
  expect(['198.51.100.1', '10.0.0.1', '2001:db8::1', 'fe80::1'].every(leavesTheMachine)).toBe(true)
  expect(
    ['127.0.0.1', '0.0.0.0', '::', '::1', '224.0.0.251', 'ff02::fb', '255.255.255.255', 'x'].some(leavesTheMachine),
  ).toBe(false)
})
