// Web pages that test for DNS leaks: they make the browser ask random names below a zone of theirs and see who comes to
// ask for them. Zones and labels as generally known in 2026-11; not checked against each page.

export interface LeakTestPage {
  /** The page as people know it. */
  readonly page: string
  /** Questions below this zone belong to a test. */
  readonly zone: string
  /** What stands before the zone; the first group is the run, where the page tells runs apart. */
  readonly label: RegExp
}

const RANDOM = /^(?:.+\.)?([0-9a-z-]{6,64})$/

export const LEAK_TEST_PAGES: readonly LeakTestPage[] = Object.freeze([
  { page: 'dnsleaktest.com', zone: 'test.dnsleaktest.com', label: RANDOM },
  { page: 'ipleak.net', zone: 'ipleak.net', label: /^([0-9a-f]{24,48})-?[0-9a-z-]*(?:\..*)?$/ },
  { page: 'browserleaks.com', zone: 'dns4.browserleaks.org', label: RANDOM },
  { page: 'browserleaks.com', zone: 'dns6.browserleaks.org', label: RANDOM },
  { page: 'browserleaks.com', zone: 'dns.browserleaks.org', label: RANDOM },
  { page: 'browserleaks.com', zone: 'browserleaks.net', label: RANDOM },
  { page: 'bash.ws', zone: 'bash.ws', label: /^\d{1,3}\.([0-9a-z]{6,64})$/ },
  { page: 'dnscheck.tools', zone: 'test.dnscheck.tools', label: /^(?:.+\.)?([0-9a-z-]{6,64})$/ },
  { page: 'dnscheck.tools', zone: 'go.dnscheck.tools', label: RANDOM },
  { page: 'mullvad.net/check', zone: 'dnsleak.am.i.mullvad.net', label: RANDOM },
  { page: 'perfect-privacy.com', zone: 'dns.perfect-privacy.com', label: RANDOM },
  { page: 'ip-api.com', zone: 'edns.ip-api.com', label: RANDOM },
  { page: 'whoer.net', zone: 'whoer.net', label: /^([0-9a-f]{16,64})(?:\..*)?$/ },
  { page: 'dnsleak.com', zone: 'dnsleak.com', label: /^([0-9a-z]{8,64})(?:\..*)?$/ },
  { page: 'doileak.com', zone: 'doileak.com', label: /^([0-9a-z-]{12,64})(?:\..*)?$/ },
])
