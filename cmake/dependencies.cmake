# Every outside library, each linked by the one module that uses it.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
set(Boost_USE_STATIC_LIBS ${TRIBECAST_STATIC_RUNTIME})
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
set(Boost_USE_STATIC_LIBS ${TRIBECAST_STATIC})
find_package(fmt REQUIRED)
find_package(nlohmann_json 3.9 REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium>=1.0.18)
pkg_check_modules(PCAP REQUIRED IMPORTED_TARGET libpcap>=1.9)
pkg_check_modules(NL REQUIRED IMPORTED_TARGET libnl-3.0 libnl-route-3.0)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares>=1.16)
pkg_check_modules(CAP REQUIRED IMPORTED_TARGET libcap)
if(TRIBECAST_ENGINE)
  pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
  pkg_check_modules(ROCKSDB REQUIRED IMPORTED_TARGET rocksdb>=6.11)
  pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto>=1.1.1)
endif()

# Boost.Asio, its functions compiled once: as inline functions they set off -Wnull-dereference with
# -O2. Version 1.74 uses std::exchange without <utility> under C++20.
add_library(tribecast_asio STATIC agent/io/asio.cc)
target_link_libraries(tribecast_asio PUBLIC Boost::headers Threads::Threads
                      PRIVATE tribecast_options)
target_compile_definitions(tribecast_asio PUBLIC
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION)
target_compile_options(tribecast_asio PUBLIC "SHELL:-include utility" PRIVATE -w)
# clang 14 to 16 have coroutines, but say so in no way that libstdc++ and Boost 1.74 understand.
target_compile_definitions(tribecast_asio PUBLIC
  "$<$<AND:$<CXX_COMPILER_ID:Clang>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,17>>:\
__cpp_impl_coroutine=201902L;BOOST_ASIO_HAS_CO_AWAIT=1;BOOST_ASIO_HAS_STD_COROUTINE=1>")

# libpcap. Inside the program it needs no D-Bus and what that brings with it.
add_library(tribecast_pcap INTERFACE)
find_library(TRIBECAST_STATIC_PCAP libpcap.a HINTS ${PCAP_LIBDIR})
if(TRIBECAST_STATIC_RUNTIME AND TRIBECAST_STATIC_PCAP)
  add_library(tribecast_pcap_sources OBJECT agent/host/pcap_sources.cc)
  target_link_libraries(tribecast_pcap_sources PRIVATE tribecast_options)
  target_include_directories(tribecast_pcap INTERFACE ${PCAP_INCLUDE_DIRS})
  target_link_libraries(tribecast_pcap INTERFACE
    $<TARGET_OBJECTS:tribecast_pcap_sources> ${TRIBECAST_STATIC_PCAP})
else()
  target_link_libraries(tribecast_pcap INTERFACE PkgConfig::PCAP)
endif()

# RocksDB, whose description for pkg-config names no library that its archive needs.
if(TRIBECAST_ENGINE)
  add_library(tribecast_rocksdb INTERFACE)
  target_link_libraries(tribecast_rocksdb INTERFACE PkgConfig::ROCKSDB)
  if(TRIBECAST_STATIC)
    foreach(library snappy lz4 zstd bz2 z)
      find_library(TRIBECAST_STATIC_${library} lib${library}.a REQUIRED)
      target_link_libraries(tribecast_rocksdb INTERFACE ${TRIBECAST_STATIC_${library}})
    endforeach()
  endif()
endif()

# What the two programs link with, beside their modules.
add_library(tribecast_program INTERFACE)
target_link_libraries(tribecast_program INTERFACE Boost::program_options)
if(TRIBECAST_STATIC)
  # The linker warns of a call into the name service switch, and of dlopen: a static program can load no module.
  add_library(tribecast_names OBJECT agent/host/no_name_service.cc)
  target_link_libraries(tribecast_names PRIVATE tribecast_options)
  target_link_libraries(tribecast_program INTERFACE $<TARGET_OBJECTS:tribecast_names>)
  target_link_options(tribecast_program INTERFACE -Wl,--fatal-warnings,--wrap=dlopen)
elseif(TRIBECAST_STATIC_RUNTIME)
  target_link_options(tribecast_program INTERFACE -static-libstdc++ -static-libgcc)
endif()

# fmt. Debian has no static library of it, and as inline functions they cost every source file seconds.
if(TRIBECAST_STATIC_RUNTIME)
  add_library(tribecast_fmt STATIC agent/control/fmt.cc)
  target_include_directories(tribecast_fmt SYSTEM PUBLIC
    $<TARGET_PROPERTY:fmt::fmt,INTERFACE_INCLUDE_DIRECTORIES>)
  target_link_libraries(tribecast_fmt PRIVATE tribecast_options)
  target_compile_options(tribecast_fmt PRIVATE -w)
else()
  add_library(tribecast_fmt INTERFACE)
  target_link_libraries(tribecast_fmt INTERFACE fmt::fmt)
endif()
