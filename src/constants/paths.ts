// Where things are on a machine when nobody says otherwise (Filesystem Hierarchy Standard 3.0, 3.7, 3.15 and 5.8).

/** The service's UNIX socket. */
export const DEFAULT_SOCKET = '/run/tunnelscope/tunnelscope.sock'
/** The daemon's store. */
export const DEFAULT_STORE = '/var/lib/tunnelscope/store.db'
/** The bearer token of the loopback API, 0600. */
export const DEFAULT_TOKEN = '/var/lib/tunnelscope/token'
/** Packets that show findings, 0600 each in a 0700 directory. */
export const DEFAULT_EVIDENCE = '/var/lib/tunnelscope/evidence'
/** Read when it is there and no --config is given. */
export const DEFAULT_CONFIG = '/etc/tunnelscope/tunnelscope.toml'
/** What a file to write is called that is standard output, as tcpdump does. */
export const STANDARD_OUTPUT = '-'
/** Who the service runs as, and the group that may use its socket. */
export const SERVICE_USER = 'tunnelscope'
