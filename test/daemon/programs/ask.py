# Sends DNS questions (type A, numbered names) to a server: COUNT of them, PER_SECOND, from a socket of its own.
# Prints the time before each question leaves when a fourth argument is given.
import socket, struct, sys, time

server, count, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
start = time.time()
for i in range(count):
    label = b'n%d' % i
    name = bytes([len(label)]) + label + b'\x07example\x00'
    late = start + i / rate - time.time()
    if late > 0:
        time.sleep(late)
    try:
        sock.sendto(struct.pack('>HHHHHH', i & 0xffff, 0x0100, 1, 0, 0, 0) + name + b'\x00\x01\x00\x01', (server, 53))
    except OSError:
        pass
print('asked')
