// Lets a child process, and unlike the hooks by themselves its workers too, import the project's TypeScript.
import { register } from 'node:module'

register('../capture/typescript-hooks.mjs', import.meta.url)
