tribecast_unit_test(daemon_events daemon_events.cc LINK tribecast_daemon)
tribecast_unit_test(daemon_trial daemon_trial.cc LINK tribecast_daemon)

# The scripts that ask clouds, without a network.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME unit.discovery_scripts COMMAND ${Python3_EXECUTABLE}
  ${CMAKE_CURRENT_SOURCE_DIR}/discovery_scripts.py ${PROJECT_SOURCE_DIR}/packaging/discovery)
set_tests_properties(unit.discovery_scripts PROPERTIES LABELS unit)
tribecast_unit_test(daemon_capture_tap daemon_capture_tap.cc LINK tribecast_daemon)
tribecast_unit_test(daemon_bench daemon_bench.cc LINK tribecast_daemon)
