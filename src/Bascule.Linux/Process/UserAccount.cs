using System.Globalization;
using System.Runtime.InteropServices;

namespace Bascule.Linux.Process;

/// <summary>A user of this machine, as passwd(5) and whatever else nsswitch.conf(5) names know them.</summary>
/// <param name="Name">By which they log in.</param>
/// <param name="Number">By which the kernel knows them.</param>
/// <param name="Home">Their folder.</param>
public sealed unsafe partial record UserAccount(string Name, uint Number, string Home)
{
    private const int MostBytes = 1 << 20; // of an entry; no machine has one like that

    /// <summary>Whoever runs this process; null: a number without a name.</summary>
    /// <exception cref="KernelException">Those who know could not be asked.</exception>
    public static UserAccount? OfThisProcess => Find(GetEffectiveUser().ToString(CultureInfo.InvariantCulture));

    /// <summary>Whether this process runs as this user.</summary>
    public bool IsOfThisProcess => Number == GetEffectiveUser();

    /// <summary>Finds a user. getpwnam(3), getpwuid(3).</summary>
    /// <param name="nameOrNumber">A name that consists of digits is taken for the number.</param>
    /// <returns>Null when there is none.</returns>
    /// <exception cref="KernelException">Those who know could not be asked.</exception>
    public static UserAccount? Find(string nameOrNumber)
    {
        for (int length = 1024; ; length *= 2)
        {
            byte* strings = (byte*)NativeMemory.Alloc((nuint)length);
            try
            {
                Entry entry;
                Entry* found;
                Errno error = (Errno)(uint.TryParse(nameOrNumber, NumberStyles.None, CultureInfo.InvariantCulture, out uint number)
                    ? GetByNumber(number, &entry, strings, (nuint)length, &found)
                    : GetByName(nameOrNumber, &entry, strings, (nuint)length, &found));
                if (error == Errno.OutOfRange && length < MostBytes)
                    continue;
                if (found is not null)
                    return new(Text(found->Name), found->User, Text(found->Home));
                return error is Errno.None or Errno.NoEntry or Errno.NoSuchProcess // which of them is the C library's choice
                    ? null
                    : throw new KernelException($"looking for the user {nameOrNumber}: getpwnam_r", error);
            }
            finally
            {
                NativeMemory.Free(strings);
            }
        }
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text) ?? "";

    // struct passwd, which glibc and musl have alike.
    [StructLayout(LayoutKind.Sequential)]
    private struct Entry
    {
        public byte* Name;
        public byte* Password;
        public uint User;
        public uint Group;
        public byte* Comment;
        public byte* Home;
        public byte* Shell;
    }

    [LibraryImport("libc", EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetByName(string name, Entry* entry, byte* strings, nuint length, Entry** found);

    [LibraryImport("libc", EntryPoint = "getpwuid_r")]
    private static partial int GetByNumber(uint number, Entry* entry, byte* strings, nuint length, Entry** found);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();
}
