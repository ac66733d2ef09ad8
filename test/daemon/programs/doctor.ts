// The doctor's lines as JSON, by the default settings and a socket that nobody serves.
import { defaultConfig } from '../../../src/daemon/config.ts'
import { diagnose } from '../../../src/daemon/doctor.ts'
import { doctorFacts } from '../../../src/daemon/doctor-facts.ts'

process.stdout.write(
  JSON.stringify(diagnose(await doctorFacts(defaultConfig(), { socketPath: '/nonexistent/x.sock' }))),
)
