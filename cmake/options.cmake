# Language, warnings, sanitizers and hardening, as one interface target: tribecast_options.

option(TRIBECAST_TESTS "Build the tests" ON)
option(TRIBECAST_ENGINE "Build the replication engine" ON)
option(TRIBECAST_WERROR "Warnings are errors (ci presets)" OFF)
option(TRIBECAST_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
option(TRIBECAST_FUZZ "Build the libFuzzer targets (needs clang)" OFF)
option(TRIBECAST_UNITY "Compile the sources of a module together: a cold build in half the time" OFF)
option(TRIBECAST_STATIC_RUNTIME "Link the C++ libraries into the programs: less memory, fewer pages" OFF)
option(TRIBECAST_STATIC "Link everything into the programs, which then run on any Linux" OFF)
option(TRIBECAST_COVERAGE "Count covered lines" OFF)

if(TRIBECAST_STATIC)
  if(NOT CMAKE_BUILD_TYPE MATCHES "^Rel")
    message(FATAL_ERROR "TRIBECAST_STATIC is for release builds: cmake --preset static")
  endif()
  set(TRIBECAST_STATIC_RUNTIME ON)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(tribecast_options INTERFACE)
target_compile_options(tribecast_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnull-dereference -Wvla
  $<$<BOOL:${TRIBECAST_WERROR}>:-Werror>)

if(TRIBECAST_SANITIZE)
  target_compile_options(tribecast_options INTERFACE
    -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_definitions(tribecast_options INTERFACE _GLIBCXX_ASSERTIONS)
  target_link_options(tribecast_options INTERFACE -fsanitize=address,undefined)
endif()

if(TRIBECAST_FUZZ)
  target_compile_options(tribecast_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(tribecast_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(TRIBECAST_COVERAGE)
  target_compile_options(tribecast_options INTERFACE --coverage)
  target_link_options(tribecast_options INTERFACE --coverage)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_options(tribecast_options INTERFACE
    -D_GLIBCXX_ASSERTIONS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
    -fstack-clash-protection -ffunction-sections -fdata-sections
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)  # where it was built is nobody's business
  target_link_options(tribecast_options INTERFACE
    $<IF:$<BOOL:${TRIBECAST_STATIC}>,-static-pie,-pie> -Wl,-z,relro,-z,now,--gc-sections)
endif()

# tribecast_library(NAME SOURCES... [LINK targets...]): one module of the house. Headers of agent/ are
# included as "module/file.h", those of engine/ as "engine/module/file.h".
function(tribecast_library name)
  cmake_parse_arguments(ARG "" "" "LINK" ${ARGN})
  add_library(tribecast_${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  target_include_directories(tribecast_${name} PUBLIC
    ${PROJECT_SOURCE_DIR}/agent ${PROJECT_SOURCE_DIR})
  target_link_libraries(tribecast_${name} PUBLIC tribecast_options ${ARG_LINK})
  set_target_properties(tribecast_${name} PROPERTIES UNITY_BUILD ${TRIBECAST_UNITY})
endfunction()
