# find_package(presam): presam::presam is the static library, presam::presam_shared the shared one.
get_filename_component(_presam "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
if(NOT TARGET presam::presam)
  add_library(presam::presam STATIC IMPORTED)
  set_target_properties(presam::presam PROPERTIES
    IMPORTED_LOCATION "${_presam}/lib/libpresam.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_presam}/include"
    INTERFACE_LINK_LIBRARIES "@LIBS@")
  add_library(presam::presam_shared SHARED IMPORTED)
  set_target_properties(presam::presam_shared PROPERTIES
    IMPORTED_LOCATION "${_presam}/lib/libpresam.so.@MAJOR@"
    IMPORTED_SONAME "libpresam.so.@MAJOR@"
    INTERFACE_INCLUDE_DIRECTORIES "${_presam}/include")
endif()
unset(_presam)
