//! verifier: checks a release that Pitlane published, with the public key alone.

const std = @import("std");
const Io = std.Io;
const build = @import("build");
const checks = @import("check.zig");
const files = @import("file.zig");
const key_file = @import("key.zig");
const options = @import("options.zig");
const printable = @import("path.zig").printable;
const Report = @import("report.zig").Report;

/// Nothing here uses the network; leaving it out makes the program smaller.
pub const std_options: std.Options = .{ .networking = false };

const exit_ok = 0;
const exit_wrong = 1;
const exit_usage = 2;

pub fn main(init: std.process.Init.Minimal) u8 {
    var arena: std.heap.ArenaAllocator = .init(std.heap.page_allocator);
    defer arena.deinit();
    var threaded: Io.Threaded = .init_single_threaded;
    const io = threaded.io();

    var out_buffer: [4096]u8 = undefined;
    var out = Io.File.stdout().writerStreaming(io, &out_buffer);
    var err_buffer: [1024]u8 = undefined;
    var err = Io.File.stderr().writerStreaming(io, &err_buffer);

    // What could not be said must not look like success.
    const code = run(arena.allocator(), io, init.args, &out.interface, &err.interface) catch |problem| failed: {
        err.interface.print("verifier: {t}\n", .{problem}) catch {};
        break :failed exit_wrong;
    };
    err.interface.flush() catch {};
    out.interface.flush() catch return exit_wrong;
    return code;
}

fn run(arena: std.mem.Allocator, io: Io, args: std.process.Args, out: *Io.Writer, err: *Io.Writer) !u8 {
    const arguments = try args.toSlice(arena);
    const order = switch (options.parse(if (arguments.len > 0) arguments[1..] else &.{})) {
        .help => {
            try out.writeAll(options.help);
            return exit_ok;
        },
        .version => {
            try out.print("verifier {s}\n", .{build.version});
            return exit_ok;
        },
        .wrong => |wrong| {
            try err.print("verifier: {s} {f}\ntry: verifier --help\n", .{ wrong.reason, printable(wrong.argument) });
            return exit_usage;
        },
        .check => |order| order,
    };
    const key = readKey(arena, io, order.key) catch |problem| {
        try err.print(
            "verifier: no public key in {f}: {t}\n--key takes a minisign key (RW..., 56 characters) or a file with one\n",
            .{ printable(order.key), problem },
        );
        return exit_usage;
    };
    var dir = Io.Dir.cwd().openDir(io, order.folder, .{ .iterate = true }) catch |problem| {
        try err.print("verifier: cannot open the folder {f}: {t}\n", .{ printable(order.folder), problem });
        return exit_usage;
    };
    defer dir.close(io);

    var report: Report = .{ .out = out };
    const right = try checks.check(arena, io, dir, key, order.release, &report);
    if (right) {
        try out.print("verified: {d} of {d} checks are right\n", .{ report.right, report.right });
        return exit_ok;
    }
    try out.print("NOT VERIFIED: {d} of {d} checks failed\n", .{ report.wrong, report.wrong + report.right });
    return exit_wrong;
}

fn readKey(arena: std.mem.Allocator, io: Io, text: []const u8) !key_file.PublicKey {
    if (key_file.PublicKey.fromText(text)) |key| return key else |_| {}
    // A person's own file: a link to it is fine.
    const file = try Io.Dir.cwd().openFile(io, text, .{ .allow_directory = false });
    defer file.close(io);
    return key_file.PublicKey.fromFile(try files.readAll(arena, io, file, key_file.PublicKey.max_file_size));
}
