// The systemd unit, as text. Everything is closed that packets do not need; `systemd-analyze security` is a test.
// MemoryDenyWriteExecute is not here because V8 writes code at run time, PrivateNetwork and PrivateUsers are not because
// the host's network is what is watched.
import { dirname } from 'node:path'

export interface UnitOptions {
  /** Program and its first words, absolute. */
  readonly command: readonly string[]
  /** Who it runs as, also the group of the socket. */
  readonly user: string
  /** Directories of ours that lie where services may not look (/home, /root): shown to this one, read-only. */
  readonly shownDirectories: readonly string[]
}

/** Homes are hidden from services; what lies there must be shown. */
const HIDDEN = ['/home', '/root', '/run/user']

export function serviceUnit({ command, user, shownDirectories }: UnitOptions): string {
  return `[Unit]
Description=tunnelscope: what leaves this machine outside the VPN tunnel
Documentation=man:tunnelscope(1)
After=network-pre.target
Wants=network-pre.target

[Service]
Type=notify
NotifyAccess=main
ExecStart=${[...command, 'daemon'].map(quoted).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=30
Restart=on-failure
RestartSec=1
# What the operator has to mend is not tried again.
RestartPreventExitStatus=2
TimeoutStopSec=15
TasksMax=64
LimitCORE=0

User=${user}
Group=${user}
# Opens the packet socket; the daemon then gives it up in every thread.
AmbientCapabilities=CAP_NET_RAW
CapabilityBoundingSet=CAP_NET_RAW
NoNewPrivileges=yes
SecureBits=noroot noroot-locked

ConfigurationDirectory=tunnelscope
StateDirectory=tunnelscope
StateDirectoryMode=0700
RuntimeDirectory=tunnelscope
RuntimeDirectoryMode=0750
LogsDirectory=tunnelscope
LogsDirectoryMode=0750
UMask=0077

ProtectSystem=strict
# strict alone was seen to leave /run writable where ProtectProc is set as well (systemd 257).
ReadOnlyPaths=/run
# It has nothing to say to other services.
InaccessiblePaths=-/run/dbus
${homeLines(shownDirectories)}
PrivateTmp=yes
PrivateDevices=yes
PrivateMounts=yes
PrivateIPC=yes
DevicePolicy=closed
# ProcSubset=pid would hide /proc/sys, where the settings that MTU findings name are read.
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_PACKET AF_NETLINK AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
KeyringMode=private
# Its sockets reach this machine only; the packet ring is not concerned.
IPAddressDeny=any
IPAddressAllow=localhost
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

/** What the unit has to be shown of the program and its main file (PACKAGE/dist/cli/main.js) where they are hidden. */
export function shownDirectories([program, main]: readonly string[]): string[] {
  const isHidden = (file: string) => HIDDEN.some((one) => file.startsWith(`${one}/`))
  const directories: string[] = []
  if (isHidden(program!)) directories.push(dirname(program!))
  if (main !== undefined && isHidden(main)) {
    // Packages lie beside each other; without a common directory it is a checkout with its own.
    const modules = main.indexOf('/node_modules/')
    directories.push(modules < 0 ? dirname(dirname(dirname(main))) : main.slice(0, modules + '/node_modules'.length))
  }
  return directories
}

function homeLines(directories: readonly string[]): string {
  if (directories.length === 0) return 'ProtectHome=yes'
  // systemd gives the empty /root the mode of the full one, which nobody else may enter.
  const root = directories.some((one) => one.startsWith('/root/')) ? ['TemporaryFileSystem=/root:ro,mode=755'] : []
  return ['ProtectHome=tmpfs', ...root, ...directories.map((one) => `BindReadOnlyPaths=${quoted(one)}`)].join('\n')
}

/** systemd.service(5): specifiers and variables are doubled, anything unusual is quoted. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', '$$$$')
  return /^[\w./@:%$+-]+$/.test(plain) ? plain : `"${plain.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
