// Where things are on a machine when nobody says otherwise (Filesystem Hierarchy Standard 3.0, 3.15 and 5.8).

/** The service's UNIX socket. */
export const DEFAULT_SOCKET = '/run/tunnelscope/tunnelscope.sock'
/** The daemon's store. */
export const DEFAULT_STORE = '/var/lib/tunnelscope/store.db'
