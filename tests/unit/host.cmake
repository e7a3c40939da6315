tribecast_unit_test(capture_filter capture_filter.cc LINK tribecast_host)
tribecast_unit_test(igmp igmp.cc LINK tribecast_host)
tribecast_unit_test(sock_diag sock_diag.cc LINK tribecast_host)

# Without the sanitizers of the other tests, under which nothing is filtered; as the programs of the DEB are linked, and
# as those of the RPM are.
foreach(link dynamic static)
  set(name test_syscall_filter_${link})
  add_executable(${name} syscall_filter.cc ${PROJECT_SOURCE_DIR}/agent/host/syscall_filter.cc)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/agent)
  target_link_options(${name} PRIVATE $<$<STREQUAL:${link},static>:-static>)
  add_test(NAME unit.syscall_filter_${link} COMMAND ${name})
  set_tests_properties(unit.syscall_filter_${link} PROPERTIES LABELS unit)
endforeach()
