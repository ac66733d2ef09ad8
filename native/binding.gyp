{
  # The live capture addon. Built by `npm run build:native`; Linux only, elsewhere the target is empty.
  "targets": [{
    "target_name": "tunnelscope",
    "conditions": [["OS=='linux'", {
      "sources": [
        "src/addon.cc",
        "src/bound_socket.cc",
        "src/bound_socket_exports.cc",
        "src/fd_watcher.cc",
        "src/filter_compiler.cc",
        "src/net_watch.cc",
        "src/net_watch_object.cc",
        "src/packet_ring.cc",
        "src/packet_ring_object.cc",
        "src/privileges.cc",
        "src/privileges_exports.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      # A callback into a worker that is being ended cannot throw, and need not.
      "defines": ["NAPI_VERSION=8", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags_cc!": ["-fno-exceptions"],
      "cflags_cc": ["-std=c++17", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fvisibility=hidden"],
      "libraries": ["-ldl"]
    }, {"type": "none"}]]
  }]
}
