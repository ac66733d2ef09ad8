// The offsets TypeScript reads the ring at are those the addon was compiled with.

import { nativeLayout } from '../../src/capture/native-addon.ts'
import * as layout from '../../src/capture/ring-layout.ts'

test('every offset equals the C structure', () => {
  expect({ ...layout }).toEqual(nativeLayout())
})
