// The page in a real browser: signing in, names that would like to act, a daemon that goes and comes back, floods, keyboard.
import { join } from 'node:path'
import { type Browser, findBrowser, openBrowser, type Tab } from '../support/browser.ts'
import { makeEpoch, makeFinding, makeSite, makeStats, makeVerdict } from '../support/findings.ts'
import { sayNotRun } from '../support/not-run.ts'
import { type RunningService, runService } from '../support/running-service.ts'

const program = findBrowser()

if (program === undefined) {
  test('the page in a browser did not run', () => sayNotRun('the page in a browser', 'Chromium'))
} else {
  describe('in a browser', () => {
    let browser: Browser
    let running: RunningService
    let ticking: NodeJS.Timeout
    beforeAll(async () => {
      browser = await openBrowser(program)
    })
    afterAll(() => browser.close())
    beforeEach(async () => {
      running = await runService()
      begin()
    })
    afterEach(async () => {
      clearInterval(ticking)
      await running.stop()
    })

    /** The figures of every second, as the engine gives them. */
    function begin(): void {
      let packets = 1000
      running.service.publishEpoch(makeEpoch())
      running.service.publishVerdict(makeVerdict())
      clearInterval(ticking)
      ticking = setInterval(() => {
        packets += 10
        running.service.publishStats(makeStats({ time: new Date().toISOString(), packets }))
      }, 250)
    }

    /** The same store and the same port again. */
    async function restart(whileGone = async () => {}): Promise<void> {
      const port = Number(new URL(running.url).port)
      clearInterval(ticking)
      await running.stop(true)
      await whileGone()
      const loopback = { host: '127.0.0.1', port, tokenPath: join(running.folder, 'data', 'token') }
      running = await runService({ loopback }, running.folder)
      begin()
    }

    const text = (tab: Tab, id: string) => tab.value<string>(`document.getElementById('${id}').textContent`)
    const isLive = "document.getElementById('connection')?.dataset.state === 'live'"
    const rows = "document.querySelectorAll('.finding').length"

    async function signedIn(): Promise<Tab> {
      const tab = await browser.tab()
      await tab.open(running.service.browserUrl()!)
      await tab.until(isLive)
      return tab
    }

    test('an address signs in once, and its code does not stay in the address bar', async () => {
      const url = running.service.browserUrl()!
      const tab = await browser.tab()
      await tab.open(url)
      await tab.until(isLive)
      expect(await tab.value('location.href')).toBe(`${running.url}/`)
      expect(await tab.value('history.length')).toBeLessThanOrEqual(2)
      expect(await tab.value('document.cookie')).toBe('')
      await tab.until("document.getElementById('verdict-headline').textContent === 'DNS leaks: some questions'")
      expect(await text(tab, 'tunnel-state')).toBe('Up: wg0')
      expect(await tab.value("document.getElementById('gate').checkVisibility()")).toBe(false)
      expect(await tab.value("document.getElementById('page').checkVisibility()")).toBe(true)
      expect(tab.complaints).toEqual([])

      const other = await browser.tab()
      await other.open(url)
      await other.until("document.getElementById('gate')?.hidden === false")
      expect(await other.value('document.body.innerText')).toContain(
        'That address was used before, or is older than five minutes.',
      )
      expect(await other.value('document.body.innerText')).toContain('tunnelscope dashboard')
      expect(await other.value("document.getElementById('page').checkVisibility()")).toBe(false)
      // A new one, pasted into the same tab.
      await other.value(`void (location.href = ${JSON.stringify(running.service.browserUrl())})`)
      await other.until(isLive)
      expect(await other.value('location.href')).toBe(`${running.url}/`)
    })

    test('names from the wire are text: nothing of them runs, loads, turns the line or fills the page', async () => {
      const names = [
        '<script>document.title = "owned"</script>.example',
        '"><img src=/x onerror="document.title = \'owned\'">',
        '\u202egnp.exe\u202c.example',
        'a\u0000b\n\x1b[31m',
        '\ud800half',
        'constructor',
        'x'.repeat(10_000),
      ]
      const leak = { server: '192.0.2.53', port: 53, transport: 'udp', interface: 'eth0', count: 1, epoch: 1 } as const
      const time = '2026-01-02T03:04:05.000000Z'
      for (const name of names) {
        running.service.publish(
          makeFinding({
            key: name,
            id: name.slice(0, 60),
            summary: `Seen: ${name}.`,
            advice: name,
            filter: `dns.qry.name == "${name}"`,
            interface: name.slice(0, 30),
            data: { names: [name], nameCount: 1 },
            process: { pid: 1, name },
          }),
        )
        running.service.publishLeaks([{ ...leak, name, type: name, cause: name, first: time, last: time }])
        running.service.publishSites([makeSite({ host: name, outcome: 'fails' })])
      }
      running.service.publishVerdict(makeVerdict({ complete: false, reasons: names }))
      const tab = await signedIn()
      await tab.until(`${rows} === ${names.length}`)
      await tab.until(`document.querySelectorAll('#leaks tbody tr').length === ${names.length}`)
      await tab.until(`document.querySelectorAll('#sites tbody tr').length === ${names.length}`)
      await tab.value("document.querySelectorAll('details').forEach((one) => { one.open = true })")
      const shown = await tab.value<string>("document.getElementById('page').textContent")
      expect(shown).toContain('<script>document.title = "owned"</script>.example')
      expect(shown).toContain('\\u{202e}gnp.exe\\u{202c}.example')
      expect(shown).toContain('a\\x00b\\n\\x1b[31m')
      expect(shown).toContain('more characters')
      expect(shown).not.toMatch(/[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]/u)
      expect(await tab.value('document.title')).not.toContain('owned')
      expect(await tab.value("document.querySelectorAll('main script, main img, main a').length")).toBe(0)
      expect(await tab.value('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      expect(tab.complaints).toEqual([])
    })

    test('the policy refuses inline scripts, foreign loads and HTML made of text', async () => {
      const tab = await signedIn()
      await tab.value(`{
        const script = document.createElement('script')
        try { script.text = 'document.title = "owned"' } catch {}
        document.body.append(script)
        const image = new Image()
        image.src = 'http://127.0.0.1:9/x.png'
      }`)
      const outcome = await tab.value(
        '(() => { try { document.body.innerHTML = "<b>x</b>" } catch (e) { return e.name } })()',
      )
      expect(outcome).toBe('TypeError')
      expect(await tab.value('document.title')).not.toBe('owned')
      await tab.until('document.querySelector("#page") !== null')
      expect(tab.complaints.join('\n')).toMatch(/Content Security Policy/)
    })

    test('a daemon that goes is told at once; when it is back nothing is missing and nothing is there twice', async () => {
      const tab = await signedIn()
      for (let index = 0; index < 20; index++) running.service.publish(makeFinding({ key: `before ${index}` }))
      await tab.until(`${rows} === 20`)
      await restart(async () => {
        await tab.until("document.getElementById('connection').textContent.startsWith('Not connected since')")
        expect(await text(tab, 'notice')).toMatch(/^The daemon has not answered since \d\d:\d\d:\d\d\./)
        expect(await tab.value('document.title')).toBe('Not connected · tunnelscope')
      })
      running.service.publish(makeFinding({ key: 'before 3', epoch: 2, count: 5 }))
      for (let index = 0; index < 10; index++) running.service.publish(makeFinding({ key: `after ${index}`, epoch: 2 }))
      await tab.until(isLive)
      await tab.until(`${rows} === 31`)
      expect(await text(tab, 'notice')).toMatch(
        /^The daemon is back after .* Nothing was captured while it was gone\.$/,
      )
      expect(await text(tab, 'findings-below')).toBe('31 of 31 findings shown.')
      expect(await tab.value("document.querySelectorAll('[data-run=earlier]').length")).toBe(20)
      const counts = await tab.value<string[]>("[...document.querySelectorAll('.count')].map((one) => one.textContent)")
      expect(counts.filter((count) => count !== '')).toEqual(['×5'])
    })

    test('a flood fills neither the document nor the memory, and what is not in sight is counted', async () => {
      running.service.publish(makeFinding({ key: 'grave' }))
      const tab = await signedIn()
      for (let index = 0; index < 3000; index++) {
        running.service.publish(makeFinding({ key: `n${index}`, severity: 'info' }))
        if (index % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await tab.until("document.getElementById('findings-below').textContent.includes('keeps 2,500 older')")
      expect(await tab.value(rows)).toBe(50)
      expect(await text(tab, 'findings-below')).toBe(
        '50 of 501 findings shown. The daemon keeps 2,500 older ones (tunnelscope findings); this page holds the last 500 of each severity.',
      )
      expect([await text(tab, 'count-critical'), await text(tab, 'count-info')]).toEqual(['1', '500'])
      await tab.value("document.getElementById('more').click()")
      await tab.until(`${rows} === 100`)
      expect(await tab.value("document.querySelectorAll('*').length")).toBeLessThan(6000)
    })

    test('with the keyboard alone: to the findings, the severities, the text filter and a finding’s evidence', async () => {
      running.service.publish(makeFinding({ key: 'a', summary: 'One about alpha.' }))
      running.service.publish(makeFinding({ key: 'b', severity: 'warning', summary: 'One about beta.' }))
      const tab = await signedIn()
      await tab.until(`${rows} === 2`)
      const focus = () => tab.value<string>('document.activeElement.name ?? document.activeElement.tagName')
      await tab.press('Tab')
      expect(await tab.value('document.activeElement.textContent')).toBe('Skip to the findings')
      await tab.press('Enter')
      await tab.press('Tab')
      expect(await focus()).toBe('critical')
      await tab.press(' ')
      await tab.until(`${rows} === 1`)
      await tab.press('Tab', 4)
      expect(await focus()).toBe('text')
      await tab.type('alpha')
      await tab.until(`${rows} === 0`)
      expect(await text(tab, 'findings-below')).toBe('0 of 2 findings shown, 2 filtered out.')
      await tab.value("document.querySelector('[name=critical]').click()")
      await tab.until(`${rows} === 1`)
      await tab.press('Tab')
      expect(await tab.value('document.activeElement.tagName')).toBe('SUMMARY')
      await tab.press('Enter')
      expect(await tab.value("document.querySelector('details').open")).toBe(true)
    })

    test('nothing moves under somebody who reads; what is new is offered', async () => {
      running.service.publish(makeFinding({ key: 'a', summary: 'The first.' }))
      const tab = await signedIn()
      await tab.until(`${rows} === 1`)
      await tab.value("document.querySelector('summary').focus()")
      running.service.publish(makeFinding({ key: 'b', summary: 'The second.' }))
      running.service.publish(makeFinding({ key: 'a', summary: 'The first, again.', count: 2 }))
      await tab.until("!document.getElementById('fresh').hidden")
      expect(await text(tab, 'fresh')).toBe('Show 1 new finding')
      await tab.until("document.querySelector('.finding .summary').textContent === 'The first, again.'")
      expect(await tab.value(rows)).toBe(1)
      await tab.value("document.getElementById('fresh').click()")
      await tab.until(`${rows} === 2`)
    })

    test.each([320, 390, 1440])('%d pixels wide: nothing is cut off, nothing jumps', async (width) => {
      running.service.publish(makeFinding())
      const tab = await browser.tab()
      await tab.command('Emulation.setDeviceMetricsOverride', {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: width < 500,
      })
      await tab.open(running.service.browserUrl()!)
      await tab.until(`${isLive} && ${rows} === 1`)
      await tab.until("document.querySelectorAll('#epochs tbody tr').length === 1")
      expect(await tab.value('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      const shift = await tab.value<number>(`new Promise((resolve) => {
        let sum = 0
        new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value }).observe({ type: 'layout-shift', buffered: true })
        setTimeout(() => resolve(sum), 500)
      })`)
      expect(shift).toBeLessThan(0.1)
    })

    test('without scripts one sentence says what to do', async () => {
      const tab = await browser.tab()
      await tab.command('Emulation.setScriptExecutionDisabled', { value: true })
      await tab.open(running.url)
      await new Promise((resolve) => setTimeout(resolve, 300))
      await tab.command('Emulation.setScriptExecutionDisabled', { value: false })
      expect((await tab.value<string>('document.body.innerText')).trim()).not.toContain('Connecting')
      expect(await tab.value('document.querySelector("noscript").innerText')).toBe(
        'This page needs JavaScript, which is switched off here; in a terminal, tunnelscope tail shows the same.',
      )
    })
  })
}
