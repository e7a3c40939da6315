tribecast_unit_test(doctor_checks doctor_checks.cc LINK tribecast_doctor)
tribecast_unit_test(doctor_cluster doctor_cluster.cc LINK tribecast_doctor)
tribecast_unit_test(doctor_packet_filter doctor_packet_filter.cc LINK tribecast_doctor)
tribecast_unit_test(doctor_texts doctor_texts.cc LINK tribecast_doctor)
tribecast_unit_test(control_diagnosis control_diagnosis.cc LINK tribecast_control)

# What is generated from the table of checks is up to date: if not, build the target `docs`.
add_test(NAME docs.troubleshooting COMMAND sh -c
  "$<TARGET_FILE:tribecast_troubleshooting> | cmp - ${PROJECT_SOURCE_DIR}/docs/troubleshooting.md")
set_tests_properties(docs.troubleshooting PROPERTIES LABELS unit)
