// The C library's name lookups, as a static program has them: there is no such name. They would
// load the modules of the name service switch, which must be those of the C library that is linked.
// Only libraries call them, for names that nobody gives them: DNS is c-ares' and accounts are read
// from their files. For the same reason there is no library to load: libcrypto would look for its
// modules, and has all that is used.
#include <netdb.h>
#include <netinet/ether.h>

#include <cerrno>

extern "C" {

// What the linker's --wrap=dlopen calls; glibc's own is there in any case.
void* no_library(const char* file, int mode) noexcept __asm__("__wrap_dlopen");
void* no_library(const char* /*file*/, int /*mode*/) noexcept { return nullptr; }

int getaddrinfo(const char* /*name*/, const char* /*service*/, const addrinfo* /*hints*/,
                addrinfo** found) {
  *found = nullptr;
  return EAI_NONAME;
}
void freeaddrinfo(addrinfo* /*found*/) noexcept {}
int getnameinfo(const sockaddr* /*address*/, socklen_t /*size*/, char* /*host*/,
                socklen_t /*host_size*/, char* /*service*/, socklen_t /*service_size*/,
                int /*flags*/) {
  return EAI_NONAME;
}
int ether_hostton(const char* /*name*/, ether_addr* /*found*/) noexcept { return -1; }
hostent* gethostbyname(const char* /*name*/) {
  h_errno = HOST_NOT_FOUND;
  return nullptr;
}
protoent* getprotobyname(const char* /*name*/) { return nullptr; }
protoent* getprotobynumber(int /*number*/) { return nullptr; }
servent* getservbyname(const char* /*name*/, const char* /*protocol*/) { return nullptr; }
int getnetbyname_r(const char* /*name*/, netent* /*space*/, char* /*more*/, size_t /*size*/,
                   netent** found, int* /*error*/) {
  *found = nullptr;
  return ENOENT;
}
int getprotobyname_r(const char* /*name*/, protoent* /*space*/, char* /*more*/, size_t /*size*/,
                     protoent** found) {
  *found = nullptr;
  return ENOENT;
}
int getservbyport_r(int /*port*/, const char* /*protocol*/, servent* /*space*/, char* /*more*/,
                    size_t /*size*/, servent** found) {
  *found = nullptr;
  return ENOENT;
}
}
