# Makes a tun device, sends packets on it, and deletes it; as often as the argument says. With a second argument it takes
# both halves of the internet, as a VPN's does.
import fcntl, os, socket, struct, subprocess, sys, time

TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001
for i in range(int(sys.argv[1])):
    fd = os.open('/dev/net/tun', os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH', b'tun7', IFF_TUN_NO_PI))
    subprocess.run(['ip', 'addr', 'add', '10.77.0.2/24', 'dev', 'tun7'], check=True)
    subprocess.run(['ip', 'link', 'set', 'tun7', 'up'], check=True)
    if len(sys.argv) > 2:
        for half in ('0.0.0.0/1', '128.0.0.0/1'):
            subprocess.run(['ip', 'route', 'add', half, 'dev', 'tun7'], check=True)
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in range(5):
        sock.sendto(b'x' * 100, ('10.77.0.9', 53))
    # Whoever watches on a busy machine must get a turn while it is there, and while it is not.
    time.sleep(0.04)
    sock.close()
    os.close(fd)
    time.sleep(0.02)
print('done')
