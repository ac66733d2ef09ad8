// The interfaces of a live capture: the kernel's interface indices become the dense ids of CaptureInterface. idOf() is
// called for each packet and allocates nothing for an interface that it knows; the rest happens once per interface.
import { MAX_INTERFACES } from '../constants/limits.ts'
import { LINKTYPE_RAW } from '../constants/wire.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'

/** What idOf() answers for an interface that the person did not choose. */
export const NOT_CHOSEN = -1

export interface LiveInterfaceOptions {
  /** Name of the interface with this kernel index, undefined when the kernel has not told (or it is gone again). */
  nameOf(interfaceIndex: number): string | undefined
  /** Names chosen with -i; absent = all. */
  chosen?: ReadonlySet<string>
  /** Bytes kept of a packet, 0 = no limit. */
  snapLen: number
}

export class LiveInterfaces {
  /** Grows; an entry never moves. An interface that comes back under its name has its old entry. */
  readonly list: CaptureInterface[] = []
  readonly #options: LiveInterfaceOptions
  readonly #idByIndex = new Map<number, number>()
  readonly #idByName = new Map<string, number>()
  #lastIndex = -1
  #lastId = NOT_CHOSEN

  constructor(options: LiveInterfaceOptions) {
    this.#options = options
  }

  /** Id of the interface with this kernel index; NOT_CHOSEN when its packets are not wanted. */
  idOf(interfaceIndex: number): number {
    if (interfaceIndex === this.#lastIndex) return this.#lastId
    let id = this.#idByIndex.get(interfaceIndex)
    if (id === undefined) id = this.#learn(interfaceIndex)
    this.#lastIndex = interfaceIndex
    this.#lastId = id
    return id
  }

  /** To be called when links came, went or changed their names: indices are looked up again. */
  forgetIndices(): void {
    this.#idByIndex.clear()
    this.#lastIndex = -1
  }

  #learn(interfaceIndex: number): number {
    const name = this.#options.nameOf(interfaceIndex) ?? `if${interfaceIndex}`
    const { chosen } = this.#options
    const id = chosen !== undefined && !chosen.has(name) ? NOT_CHOSEN : (this.#idByName.get(name) ?? this.#add(name))
    this.#idByIndex.set(interfaceIndex, id)
    return id
  }

  #add(name: string): number {
    // A machine that makes interfaces for ever (containers) ends with all the later ones in one entry.
    if (this.list.length === MAX_INTERFACES) return MAX_INTERFACES - 1
    const id = this.list.length
    this.list.push({
      id,
      inputIndex: 0,
      inputName: 'live',
      linkType: LINKTYPE_RAW,
      snapLen: this.#options.snapLen,
      name: id === MAX_INTERFACES - 1 ? 'others' : name,
      addresses: [],
    })
    this.#idByName.set(name, id)
    return id
  }
}
