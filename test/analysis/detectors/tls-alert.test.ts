import type { DetectorContext, RaisedFinding } from '../../../src/analysis/detector.ts'
import { tlsAlert } from '../../../src/analysis/detectors/tls-alert.ts'
import type { TlsFact } from '../../../src/model/protocol-facts.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { story as quiet } from '../../fixtures/tls-alert/quiet.make.ts'
import { story as raises } from '../../fixtures/tls-alert/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'
import { WHERE } from '../trackers/feed-stream.ts'

const ID = 'tls-alert'

test('raises: the server does not know the name it is asked for', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      cause: 'unrecognized_name',
      data: { host: 'www.example.com', server: SITE, alert: 112, sender: 'server' },
    },
  ])
})

/** Alerts that only a key log shows. */
function raisedBy(alert: Partial<TlsFact>): string[] {
  const raised: string[] = []
  const context = {
    raise: (_meta: unknown, { cause }: RaisedFinding) => void raised.push(cause ?? ''),
    interfaceOf: () => ({ name: 'wg0', inputName: 'a.pcapng' }),
  } as unknown as DetectorContext
  const handlers = tlsAlert.create(context)
  handlers.tls?.({ ...WHERE, kind: 'client-hello', fromClient: true, sni: 'www.example.com' })
  handlers.tls?.({ ...WHERE, kind: 'alert', fromClient: false, ...alert })
  return raised
}

test('raises: the server wants a certificate and says so under encryption', () => {
  expect(raisedBy({ alertLevel: 2, alertDescription: 116 })).toEqual(['certificate_required'])
})

test('stays quiet: a server that has answered complains about how the client closed', () => {
  expect(raisedBy({ alertLevel: 2, alertDescription: 50, afterContent: true })).toEqual([])
})

test('stays quiet: the server says goodbye', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
