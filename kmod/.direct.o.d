kmod/direct.o: kmod/direct.rs /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libcore.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libcompiler_builtins.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libkernel.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libffi.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libpin_init.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libpin_init_internal.so /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libmacros.so /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libbuild_error.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libzerocopy.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libbindings.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libzerocopy_derive.so /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libuapi.rmeta

kmod/.direct.o.d: kmod/direct.rs /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libcore.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libcompiler_builtins.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libkernel.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libffi.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libpin_init.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libpin_init_internal.so /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libmacros.so /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libbuild_error.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libzerocopy.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libbindings.rmeta /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libzerocopy_derive.so /usr/src/linux-headers-7.3.4+deb13-amd64/rust/libuapi.rmeta

kmod/direct.rs:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libcore.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libcompiler_builtins.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libkernel.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libffi.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libpin_init.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libpin_init_internal.so:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libmacros.so:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libbuild_error.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libzerocopy.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libbindings.rmeta:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libzerocopy_derive.so:
/usr/src/linux-headers-7.3.4+deb13-amd64/rust/libuapi.rmeta:
