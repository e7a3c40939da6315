# tribecast_python_cases(RUN OUT): the names of all cases of a test program in Python, as its --list
# prints them. A case more is seen by the next build.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

function(tribecast_python_cases run out)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${run})
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env PYTHONDONTWRITEBYTECODE=1 ${Python3_EXECUTABLE} ${run} --list
    OUTPUT_VARIABLE cases OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE "\n" ";" cases "${cases}")
  set(${out} ${cases} PARENT_SCOPE)
endfunction()
