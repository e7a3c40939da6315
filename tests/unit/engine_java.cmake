tribecast_unit_test(java_utf java_utf.cc LINK tribecast_engine_java)
tribecast_unit_test(java_parse java_parse.cc LINK tribecast_engine_java)
tribecast_unit_test(java_write java_write.cc LINK tribecast_engine_java)
tribecast_unit_test(java_read java_read.cc LINK tribecast_engine_java)

# What a real JVM makes of streams that were taken apart and put together here. Skips without java.
add_executable(java_parts java_parts.cc)
target_link_libraries(java_parts PRIVATE tribecast_engine_java)
add_test(NAME unit.java_jvm
  COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/java_jvm $<TARGET_FILE:java_parts>)
set_tests_properties(unit.java_jvm PROPERTIES LABELS unit SKIP_RETURN_CODE 77)
