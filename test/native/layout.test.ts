// The offsets TypeScript reads the ring at are those the addon was compiled with.

import { nativeLayout } from '../../src/capture/native-addon.ts'
import * as layout from '../../src/capture/ring-layout.ts'
import { hasAddon, sayNotRun } from './namespace.ts'

test('every offset equals the C structure', () => {
  if (!hasAddon) return sayNotRun('layout test')
  expect({ ...layout }).toEqual(nativeLayout())
})
