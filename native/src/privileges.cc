#include "privileges.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace tunnelscope {

namespace {

void Fail(SystemFault* fault, const char* step) {
  fault->step = step;
  fault->number = errno;
}

// This thread's sets; the inheritable one lets the kept capability cross exec.
bool SetCapabilities(uint32_t low_mask) {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  data[0].effective = low_mask;
  data[0].permitted = low_mask;
  data[0].inheritable = low_mask;
  return syscall(SYS_capset, &header, data) == 0;
}

// Without CAP_SETPCAP these are refused; no_new_privs alone then keeps exec from giving anything.
void ForbidRegaining(bool keep_net_raw) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
    if (keep_net_raw && capability == CAP_NET_RAW) continue;
    prctl(PR_CAPBSET_DROP, capability);
  }
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
}

bool ChangeUser(const ServiceIdentity& identity, SystemFault* fault) {
  if (identity.keep_net_raw && prctl(PR_SET_KEEPCAPS, 1) != 0) return Fail(fault, "PR_SET_KEEPCAPS"), false;
  if (setgroups(identity.groups.size(), identity.groups.data()) != 0) return Fail(fault, "setgroups"), false;
  if (setresgid(identity.group, identity.group, identity.group) != 0) return Fail(fault, "setresgid"), false;
  if (setresuid(identity.user, identity.user, identity.user) != 0) return Fail(fault, "setresuid"), false;
  return true;
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

int OpenPacketSocket(SystemFault* fault) {
  const int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (fd < 0) Fail(fault, "socket");
  return fd;
}

int OpenFileForService(const std::string& path, const ServiceIdentity& owner, SystemFault* fault) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK, 0600);
  if (fd < 0) return Fail(fault, "open"), -1;
  struct stat status = {};
  // The inode, not the name: nobody can put another file in between.
  if (owner.change_user && fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == 0 &&
      fchown(fd, owner.user, owner.group) != 0) {
    Fail(fault, "fchown");
    close(fd);
    return -1;
  }
  return fd;
}

void BecomeService(const ServiceIdentity& identity, const std::string& program, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment, SystemFault* fault) {
  const uint32_t kept = identity.keep_net_raw ? 1u << CAP_NET_RAW : 0;
  ForbidRegaining(identity.keep_net_raw);
  if (identity.change_user && !ChangeUser(identity, fault)) return;
  // A unit's system call filter may refuse this. Who is not root loses all by exec as well, once the ambient set is empty.
  if (!SetCapabilities(kept) && (identity.change_user || geteuid() == 0)) return Fail(fault, "capset");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return Fail(fault, "PR_SET_NO_NEW_PRIVS");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return Fail(fault, "PR_CAP_AMBIENT_CLEAR_ALL");
  if (identity.keep_net_raw && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) != 0) {
    return Fail(fault, "PR_CAP_AMBIENT_RAISE");
  }
  // Node marks these at its start, so that its children do not get them by accident.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) fcntl(fd, F_SETFD, 0);
  execve(program.c_str(), Pointers(arguments).data(), Pointers(environment).data());
  Fail(fault, "execve");
}

int NotifyService(const std::string& path, const std::string& message) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || path.size() >= sizeof address.sun_path) return EINVAL;
  memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  const socklen_t len = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const ssize_t sent =
      sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&address), len);
  const int result = sent < 0 ? errno : 0;
  close(fd);
  return result;
}

}  // namespace tunnelscope
