# A resolver at ADDRESS: a question is answered with 192.0.2.80 after a second, one whose name begins with "n" never.
import socket, sys, threading, time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 53))
print('listening', flush=True)

def answer(data, who):
    time.sleep(1)
    record = b'\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04' + socket.inet_aton('192.0.2.80')
    sock.sendto(data[:2] + b'\x81\x80' + data[4:6] + b'\x00\x01\x00\x00\x00\x00' + data[12:] + record, who)

while True:
    data, who = sock.recvfrom(512)
    if data[13:14] != b'n':
        threading.Thread(target=answer, args=(data, who), daemon=True).start()
