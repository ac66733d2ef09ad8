// Writes docs/messages.schema.json from the zod schemas that the service and its clients share. Run by `npm run messages`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { messageJsonSchema } from '../dist/api/messages.js'

const target = fileURLToPath(new URL('../docs/messages.schema.json', import.meta.url))
writeFileSync(target, `${JSON.stringify(messageJsonSchema(), undefined, 2)}\n`)
console.log(`wrote ${target}`)
