// How trackers publish figures that change.

/**
 * What a tracker fills in and others only read. Figures that change are fields and not getters: V8 keeps an object
 * literal with a getter as a hash table, and every read and every call through it then costs some twenty times as much.
 */
export type Writable<T> = { -readonly [Name in keyof T]: T[Name] }
