# Answers every DNS question on port 53 of an address after 15 ms: there is such a name, but nothing under it. A name that
# starts with f is refused instead.
import socket, sys, time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind((sys.argv[1], 53))
print('answering', flush=True)
while True:
    question, client = sock.recvfrom(512)
    time.sleep(0.015)
    rcode = 5 if question[13:14] == b'f' else 0
    sock.sendto(question[:2] + bytes([0x81, 0x80 | rcode]) + question[4:], client)
