using Bascule.Linux;
using Bascule.Linux.Bpf;
using Bascule.Linux.Netlink;

namespace Bascule.Kernel.Tests.Bpf;

/// <summary>Programs on an interface of the test's own.</summary>
public sealed class LinkTests : IDisposable
{
    private readonly string _pins = $"{BpfFileSystem.Usual}/bascule-kt-{Guid.NewGuid():N}";

    public void Dispose()
    {
        if (Directory.Exists(_pins))
            Directory.Delete(_pins, recursive: true);
    }

    [KernelTheory]
    [InlineData(AttachPoint.XdpNative)]
    [InlineData(AttachPoint.XdpGeneric)]
    public void An_xdp_program_has_the_interface_to_itself_and_is_replaced_in_place(AttachPoint point)
    {
        InCable((small, index) =>
        {
            using BpfProgram say = small.Program("say"), drop = small.Program("drop");
            using BpfLink link = BpfLink.Attach(say, index, point);
            Assert.Equal(say.Id, BpfLink.XdpProgramOn(index));
            Assert.Equal((say.Id, index, false), (link.ProgramId, link.InterfaceIndex, link.IsTcx));

            Assert.Null(BpfLink.TryAttach(drop, index, point, out Errno error));
            Assert.Equal(Errno.Busy, error);

            link.Update(drop);
            Assert.Equal(drop.Id, BpfLink.XdpProgramOn(index));
            link.Detach();
            link.Detach();
            Assert.Equal(0u, BpfLink.XdpProgramOn(index));
            Assert.Equal(0, link.InterfaceIndex);
        });
    }

    [KernelTheory]
    [InlineData(AttachPoint.TcxIngress)]
    [InlineData(AttachPoint.TcxEgress)]
    public void Tcx_takes_several_programs(AttachPoint point)
    {
        InCable((small, index) =>
        {
            using BpfProgram program = small.Program("unspecified");
            using BpfLink first = BpfLink.Attach(program, index, point);
            using BpfObject other = Small.Load();
            using BpfProgram another = other.Program("unspecified");
            using BpfLink second = BpfLink.Attach(another, index, point);

            Assert.True(first.IsTcx);
            Assert.Equal((program.Id, another.Id), (first.ProgramId, second.ProgramId));
        });
    }

    [KernelFact]
    public void A_pinned_link_stays_when_it_is_closed()
    {
        BpfFileSystem.Prepare(_pins);
        InCable((small, index) =>
        {
            using BpfProgram say = small.Program("say");
            using (BpfLink link = BpfLink.Attach(say, index, AttachPoint.XdpNative))
                link.Pin($"{_pins}/link");
            Assert.Equal(say.Id, BpfLink.XdpProgramOn(index));

            using BpfLink found = BpfLink.OpenPinned($"{_pins}/link");
            Assert.Equal((say.Id, index), (found.ProgramId, found.InterfaceIndex));
            found.Detach();
            Assert.Equal(0u, BpfLink.XdpProgramOn(index));
        });
    }

    [KernelFact]
    public void A_pinned_map_keeps_its_entries()
    {
        BpfFileSystem.Prepare(_pins);
        using (BpfObject small = Small.Load())
        using (BpfMap<uint, ulong> numbers = small.Map<uint, ulong>("numbers"))
        {
            numbers.Set(1, 11);
            numbers.Pin($"{_pins}/numbers");
        }

        using BpfMap<uint, ulong> found = BpfMap.OpenPinned<uint, ulong>($"{_pins}/numbers");

        Assert.True(found.TryGet(1, out ulong eleven));
        Assert.Equal(11ul, eleven);
        Assert.Equal(Errno.NoEntry, Assert.Throws<KernelException>(() => BpfMap.OpenPinned($"{_pins}/letters")).Errno);
    }

    [KernelFact]
    public void An_interface_that_is_not_there_is_an_answer()
    {
        using BpfObject small = Small.Load();
        using BpfProgram say = small.Program("say");

        Assert.Null(BpfLink.TryAttach(say, int.MaxValue, AttachPoint.XdpNative, out Errno error));
        Assert.Equal(Errno.Invalid, error);
    }

    private static void InCable(Action<BpfObject, int> work)
    {
        using BpfObject small = Small.Load();
        using TestNetwork network = new("link add name near type veth peer name far");
        network.Run(() =>
        {
            using Network here = new();
            work(small, here.FindLink("near")!.Index);
            return 0;
        });
    }
}
