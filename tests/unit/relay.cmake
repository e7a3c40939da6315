tribecast_unit_test(relay_clock_map relay_clock_map.cc LINK tribecast_relay)
tribecast_unit_test(relay_frames relay_frames.cc LINK tribecast_relay)
tribecast_unit_test(relay_pieces relay_pieces.cc LINK tribecast_relay)
tribecast_unit_test(relay_meters relay_meters.cc LINK tribecast_relay)
tribecast_unit_test(relay_pacer relay_pacer.cc LINK tribecast_relay)
tribecast_unit_test(relay_members relay_members.cc LINK tribecast_relay)
tribecast_unit_test(relay_links relay_links.cc LINK tribecast_relay)
tribecast_unit_test(relay_views relay_views.cc LINK tribecast_relay)
tribecast_unit_test(relay_by_key relay_by_key.cc LINK tribecast_relay)
tribecast_unit_test(relay_core relay_core.cc LINK tribecast_relay)
tribecast_unit_test(relay_rotation relay_rotation.cc LINK tribecast_relay)
tribecast_unit_test(relay_inquests relay_inquests.cc LINK tribecast_relay)
tribecast_unit_test(relay_verdicts relay_verdicts.cc LINK tribecast_relay)
tribecast_unit_test(relay_path_size relay_path_size.cc LINK tribecast_relay)
tribecast_unit_test(relay_remembered relay_remembered.cc LINK tribecast_relay)
tribecast_unit_test(relay_wire relay_wire.cc LINK tribecast_relay)
tribecast_unit_test(relay_tamper relay_tamper.cc LINK tribecast_relay)

# The same where peers have public keys; cases about the ring alone are left out there.
foreach(test relay_links relay_views relay_core relay_rotation)
  add_test(NAME unit.${test}_by_key COMMAND test_${test} --run_test=!@ring_only)
  set_tests_properties(unit.${test}_by_key PROPERTIES LABELS unit ENVIRONMENT TRIBECAST_TEST_BY_KEY=1)
endforeach()
tribecast_computes(unit.relay_rotation unit.relay_rotation_by_key unit.relay_tamper unit.relay_verdicts unit.relay_links
  unit.relay_links_by_key)

# The same vectors by another implementation.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME unit.wire_vectors COMMAND ${Python3_EXECUTABLE}
  ${CMAKE_CURRENT_SOURCE_DIR}/vectors/wire/verify.py)
set_tests_properties(unit.wire_vectors PROPERTIES LABELS unit SKIP_RETURN_CODE 77)
