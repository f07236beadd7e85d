using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Bascule.Core.Roles;
using Bascule.Linux.Epoll;

namespace Bascule.Vrrp.Engine;

/// <summary>
/// Has everything compiled and bound that a takeover needs, before there is one: otherwise the first takeover would wait for the compiler, some
/// milliseconds for the first netlink request alone.
/// </summary>
internal static class WarmUp
{
    private const BindingFlags Everything = BindingFlags.DeclaredOnly | BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>The namespaces of what the failover thread does; what else is in those assemblies stays cold.</summary>
    private static readonly string[] Wanted =
        ["Bascule.Vrrp", "Bascule.Linux.Netlink", "Bascule.Linux.Sockets", "Bascule.Linux.Epoll", "Bascule.Linux", "Bascule.Linux.Process", "Bascule.Core.Roles"];

    public static void Run()
    {
        foreach (Type type in new[] { typeof(WarmUp), typeof(EpollSet), typeof(RoleBoard) }.SelectMany(t => t.Assembly.GetTypes()).Where(IsWanted))
        {
            foreach (MethodBase method in type.GetMembers(Everything).OfType<MethodBase>().Where(m => !m.IsAbstract && !m.ContainsGenericParameters))
                Prepare(method);
        }
    }

    private static bool IsWanted(Type type) =>
        !type.ContainsGenericParameters && type.Namespace is { } name && Array.Exists(Wanted, w => name == w || (name.StartsWith(w, StringComparison.Ordinal) && w == "Bascule.Vrrp"));

    private static void Prepare(MethodBase method)
    {
        if (method is MethodInfo external && (external.Attributes & MethodAttributes.PinvokeImpl) != 0)
            Marshal.Prelink(external);
        else if ((method.GetMethodImplementationFlags() & MethodImplAttributes.CodeTypeMask) == MethodImplAttributes.IL) // not those of delegates, which the runtime makes
            RuntimeHelpers.PrepareMethod(method.MethodHandle);
    }
}
