# Listens as a service manager does; prints each datagram's lines, and who sent it.
import os
import socket
import sys

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
print("listening", flush=True)
while True:
    print(listener.recv(4096).decode(), flush=True)
