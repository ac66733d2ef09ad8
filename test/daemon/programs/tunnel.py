# A tunnel as a VPN makes it: a tun device tun7 with an address and both halves of the internet. Each line on standard
# input makes it (up), deletes it (down) or ends the program (end); the answer is the same word with the time.
import fcntl, os, struct, subprocess, sys, time

TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001

def ip(*words):
    subprocess.run(['ip', *words], check=True)

fd = -1
for line in sys.stdin:
    word = line.strip()
    if word == 'up':
        fd = os.open('/dev/net/tun', os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH', b'tun7', IFF_TUN_NO_PI))
        ip('addr', 'add', '10.77.0.2/24', 'dev', 'tun7')
        ip('link', 'set', 'tun7', 'up')
        ip('route', 'add', '0.0.0.0/1', 'dev', 'tun7')
        ip('route', 'add', '128.0.0.0/1', 'dev', 'tun7')
    elif word == 'down':
        os.close(fd)
    print(word, time.time(), flush=True)
    if word == 'end':
        break
