#!/bin/bash
# Builds the C++ tests with the address and undefined-behaviour sanitizers and runs them. Tests that need CAP_NET_RAW say
# so when they did not run.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
"${CXX:-g++}" -std=c++17 -g -O1 -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer \
  -Isrc -o "$out/native-test" test/native_test.cc src/bound_socket.cc src/fd_watcher.cc src/filter_compiler.cc src/net_watch.cc src/packet_ring.cc src/privileges.cc -ldl -lpthread
"$out/native-test"
